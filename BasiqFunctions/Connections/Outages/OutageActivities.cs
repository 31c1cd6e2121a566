using BasiqFunctions.Sync;
using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.Connections.Outages;

/// <summary>The steps of the watch of a bank. Each may run again.</summary>
public sealed class OutageActivities(BankOutlook outlook, OutageNotes notes, ConnectionAttentions attentions)
{
    private const int MostAtOnce = 100;

    /// <summary>Whether a bank can be reached again. Where Basiq does not say, it is not over: a list may be older than the outage.</summary>
    [Function(nameof(IsOutageOver))]
    public async Task<bool> IsOutageOver([ActivityTrigger] BankWay bank, CancellationToken cancellation) =>
        await outlook.AskAsync(bank, cancellation) is { IsOut: false };

    /// <summary>
    /// Some of those who are to be told: of the outage, or of its end. To whom another trouble has been told since, its end is no news, and
    /// they are given as not told.
    /// </summary>
    [Function(nameof(ListAffected))]
    public async Task<IReadOnlyList<AffectedConnection>> ListAffected([ActivityTrigger] OutageStep step, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(step);
        var affected = await notes.ListAsync(step.Bank, untold: !step.IsOver, MostAtOnce, cancellation);
        if (!step.IsOver)
            return affected;
        List<AffectedConnection> waiting = [];
        foreach (var connection in affected)
        {
            var noted = await attentions.ListAsync(connection.UserId, cancellation);
            waiting.Add(connection with
            {
                IsTold = noted.Any(matter => matter.ConnectionId == connection.ConnectionId && matter.NextAction is NextAction.WaitForBank),
            });
        }

        return waiting;
    }

    /// <summary>Notes who has been told: after the end there is nothing left to note.</summary>
    [Function(nameof(NoteTold))]
    public async Task NoteTold([ActivityTrigger] OutageStep step, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(step);
        foreach (var connection in step.Told)
            await (step.IsOver ? notes.RemoveAsync(step.Bank.Key, connection, cancellation) : notes.ToldAsync(step.Bank, connection, cancellation));
    }
}
