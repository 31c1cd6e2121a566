using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace BasiqFunctions.Benchmarks.Simulation;

/// <summary>An orchestration that calls one activity after another and then waits to be told to end.</summary>
public sealed class LongHistory
{
    /// <summary>Its name.</summary>
    public const string Name = "LongHistory";

    /// <summary>The activity that it calls.</summary>
    public const string Step = "LongHistoryStep";

    /// <summary>The event that it ends with.</summary>
    public const string End = "End";

    /// <summary>Takes the number of calls, and returns the sum of their results.</summary>
    [Function(Name)]
    public static async Task<long> RunAsync([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var calls = context.GetInput<int>();
        var sum = 0L;
        for (var i = 0; i < calls; i++)
            sum += await context.CallActivityAsync<int>(Step, i);
        await context.WaitForExternalEvent<string?>(End);
        return sum;
    }

    /// <summary>Returns what it is given: the journal has done it before.</summary>
    [Function(Step)]
    public static int Repeat([ActivityTrigger] int number) => number;
}
