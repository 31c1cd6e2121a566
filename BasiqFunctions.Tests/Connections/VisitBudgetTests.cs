using BasiqFunctions.Basiq;
using BasiqFunctions.Connections;
using BasiqFunctions.Connections.Visits;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Platform.Records;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Moq;

namespace BasiqFunctions.Tests.Connections;

/// <summary>However many callers and instances there are, a day's visits of a bank stay within the budget.</summary>
[Trait("Category", "Unit")]
public sealed class VisitBudgetTests
{
    private const int Connections = 1_000;
    private const int Instances = 3;

    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 9, 30, 14, 0, 0, TimeSpan.Zero));

    // Midnight in Sydney. Callers come every hour to each instance: a program that tries on and on, and a person who comes by each second hour.
    [Fact]
    public async Task A_thousand_connections_that_are_refreshed_as_fast_as_can_be_for_a_day_stay_within_the_budget_on_three_instances()
    {
        var tables = new MemoryRecordTables();
        ServiceProvider[] instances = [.. Enumerable.Range(0, Instances).Select(_ => Instance(tables))];
        VisitBudget[] budgets = [.. instances.Select(instance => instance.GetRequiredService<VisitBudget>())];
        var (people, programs) = (new int[Connections], new int[Connections]);
        var (peopleTurnedAway, programsTurnedAway) = (new int[Connections], new int[Connections]);
        for (var hour = 0; hour < 24; hour++)
        {
            await Parallel.ForEachAsync(
                from connection in Enumerable.Range(0, Connections)
                from instance in Enumerable.Range(0, Instances)
                select (connection, instance),
                async (caller, cancellation) =>
                {
                    var (connection, budget) = (caller.connection, budgets[caller.instance]);
                    await AskAsync(budget, connection, isAttended: false, programs, programsTurnedAway, cancellation);
                    if (caller.instance == 0 && hour % 2 == 1)
                        await AskAsync(budget, connection, isAttended: true, people, peopleTurnedAway, cancellation);
                });
            _clock.Advance(TimeSpan.FromMinutes(59));
        }

        // Programs have spent their part by the fourth hour; people have theirs to themselves, and the ninth of the day is told when.
        Assert.All(programs, visits => Assert.Equal(12, visits));
        Assert.All(people, visits => Assert.Equal(8, visits));
        Assert.All(peopleTurnedAway, turnedAway => Assert.Equal(4, turnedAway));
        Assert.All(programsTurnedAway, turnedAway => Assert.Equal((24 * Instances) - 12, turnedAway));

        // The next day begins.
        _clock.Advance(TimeSpan.FromMinutes(24));
        Assert.NotNull((await budgets[1].TakeAsync(new("user-0"), new("connection-0"), isAttended: false, default)).Id);
        foreach (var instance in instances)
            await instance.DisposeAsync();
    }

    [Fact]
    public async Task What_people_do_not_take_is_not_given_to_programs_and_what_programs_leave_is_people_s()
    {
        await using var instance = Instance(new MemoryRecordTables());
        var budget = instance.GetRequiredService<VisitBudget>();
        for (var visit = 0; visit < 15; visit++)
            Assert.NotNull((await budget.TakeAsync(new("u"), new("c"), isAttended: true, default)).Id);
        for (var visit = 0; visit < 5; visit++)
            Assert.NotNull((await budget.TakeAsync(new("u"), new("c"), isAttended: false, default)).Id);
        Assert.Null((await budget.TakeAsync(new("u"), new("c"), isAttended: true, default)).Id);
    }

    private static async Task AskAsync(VisitBudget budget, int connection, bool isAttended, int[] visits, int[] turnedAway, CancellationToken cancellation)
    {
        var visit = await budget.TakeAsync(new($"user-{connection}"), new($"connection-{connection}"), isAttended, cancellation);
        Interlocked.Increment(ref (visit.Id is null ? turnedAway : visits)[connection]);
        Assert.Equal(new DateTimeOffset(2026, 10, 1, 14, 0, 0, TimeSpan.Zero), visit.NextDayAt);
        if (visit.Id is not null)
            await budget.SettleAsync(visit, new($"job-{visit.Id}"), cancellation);
    }

    private ServiceProvider Instance(IRecordTables tables)
    {
        var configuration = new ConfigurationBuilder().Build();
        return new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(_clock).AddSingleton(Mock.Of<IBasiqClient>()).AddSingleton(tables)
            .AddSingleton(Mock.Of<ISnapshotStorage>()).AddSnapshots(configuration).AddBankConnections(configuration).BuildServiceProvider();
    }
}
