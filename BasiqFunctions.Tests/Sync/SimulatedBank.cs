using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Tests.Users;
using Moq;

namespace BasiqFunctions.Tests.Sync;

/// <summary>
/// One connection's accounts as Basiq tells them, and all that a bank may do to them between two syncs. Lists are newest first; of one day
/// they come in whatever order the bank likes.
/// </summary>
internal sealed partial class SimulatedBank(Random chance, params string[] accounts)
{
    public const string ConnectionId = "c1";

    private readonly Dictionary<string, List<Entry>> _entries = accounts.ToDictionary(id => id, _ => new List<Entry>());
    private int _made;

    /// <summary>What is called for each page; what it throws, the page throws.</summary>
    public Action OnPage { get; set; } = () => { };

    /// <summary>The requests for pages so far.</summary>
    public int Pages { get; private set; }

    public IReadOnlyList<string> Accounts => accounts;

    /// <summary>An account's transactions, in the order in which Basiq tells them.</summary>
    public IReadOnlyList<(string Id, DateOnly Day, bool IsPending, string Json)> TransactionsOf(string account) =>
        [.. Listed(account).Select(entry => (entry.Id, entry.Day, entry.IsPending, entry.Json(account)))];

    public void Attach(Mock<IBasiqClient> basiq)
    {
        basiq.Setup(b => b.ListAccountsAsync(UsersScene.Someone, It.IsAny<CancellationToken>()))
            .ReturnsAsync(() => [.. accounts.Select(id => JsonElement.Parse(AccountJson(id)))]);
        basiq.Setup(b => b.ListConnectionsAsync(UsersScene.Someone, It.IsAny<CancellationToken>()))
            .ReturnsAsync([Connection.From(JsonElement.Parse($$"""{"type":"connection","id":"{{ConnectionId}}","status":"active"}"""))]);
        basiq.Setup(b => b.GetJobAsync(It.IsAny<JobId>(), It.IsAny<CancellationToken>())).ReturnsAsync((JobId id, CancellationToken _) => new Job
        {
            Id = id,
            Steps = [new JobStep { Title = "retrieve-transactions", Status = "success" }],
            Links = new JobLinks { Source = $"https://basiq.test/users/{UsersScene.Someone}/connections/{ConnectionId}" },
        });
        basiq.Setup(b => b.GetTransactionsPageAsync(UsersScene.Someone, It.IsAny<BasiqFilter?>(), It.IsAny<int>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync((UserId _, BasiqFilter? filter, int limit, CancellationToken _) => Page(filter!.ToString(), limit, 0));
        basiq.Setup(b => b.GetNextTransactionsPageAsync(It.IsAny<string>(), It.IsAny<CancellationToken>()))
            .ReturnsAsync((string link, CancellationToken _) =>
            {
                var parts = link.Split('|');
                return Page(parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture), int.Parse(parts[2], CultureInfo.InvariantCulture));
            });
    }

    /// <summary>A posted transaction that was not there.</summary>
    public void Post(string account, DateOnly day) => _entries[account].Add(Make(day, isPending: false));

    /// <summary>Something that happens at the bank.</summary>
    /// <param name="today">The day on which it does.</param>
    /// <returns>What it was.</returns>
    public string Happen(DateOnly today)
    {
        var account = accounts[chance.Next(accounts.Length)];
        var entries = _entries[account];
        switch (chance.Next(15))
        {
            case 0 or 1:
                for (var i = chance.Next(1, 4); i > 0; i--)
                    Post(account, today.AddDays(-chance.Next(2)));
                return "new";
            case 2:
                entries.Add(Make(today, isPending: true));
                return "pending";
            case 3:
                Replace(entries, entry => entry.IsPending, entry => entry with { Id = NewId() });
                return "pending under new ids";
            case 4:
                Replace(entries, entry => entry.IsPending, entry => entry with { Id = NewId(), IsPending = false, Day = today });
                return "pending posted";
            case 5:
                Post(account, today.AddDays(-chance.Next(60)));
                return "late";
            case 6:
                One(entries, today, entry => entry with { Words = $"anew {_made++}" });
                return "edited";
            case 7:
                One(entries, today, entry => entry with { Day = entry.Day.AddDays(chance.Next(-40, 41)) is var day && day > today ? today : day });
                return "moved";
            case 8:
                One(entries, today, _ => null);
                return "deleted";
            case 9:
                One(entries, today, entry => entry with { Id = NewId() });
                return "re-identified";
            case 10 or 11:
                // From what is kept into what is fetched again.
                if (entries.Where(entry => !entry.IsPending && entry.Day < today.AddDays(-30)).ToArray() is { Length: > 0 } old)
                {
                    var moved = old[chance.Next(old.Length)];
                    entries[entries.IndexOf(moved)] = moved with { Day = today.AddDays(-chance.Next(5)) };
                }

                return "moved to a later day";
            case 12:
                Post(account, today.AddDays(chance.Next(1, 30)));
                return "dated ahead";
            case 13:
                Replace(entries, _ => true, entry => entry with { Rank = chance.Next() });
                return "reordered";
            default:
                if (entries.Where(entry => !entry.IsPending).Select(entry => entry.Day).DefaultIfEmpty().Min() is var first && first != default)
                {
                    for (var i = 1; i <= 6; i++)
                        Post(account, first.AddDays(-i));
                }

                return "a longer history";
        }
    }

    private static void Replace(List<Entry> entries, Predicate<Entry> which, Func<Entry, Entry> by)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            if (which(entries[i]))
                entries[i] = by(entries[i]);
        }
    }

    /// <summary>One of the last days, or any.</summary>
    private void One(List<Entry> entries, DateOnly today, Func<Entry, Entry?> by)
    {
        var days = chance.Next(2) == 0 ? 10 : 400;
        Entry[] candidates = [.. entries.Where(entry => !entry.IsPending && entry.Day >= today.AddDays(-days))];
        if (candidates.Length == 0)
            return;
        var chosen = candidates[chance.Next(candidates.Length)];
        var at = entries.IndexOf(chosen);
        entries.RemoveAt(at);
        if (by(chosen) is { } changed)
            entries.Insert(at, changed);
    }

    private Entry Make(DateOnly day, bool isPending) => new(NewId(), day, isPending, $"words {_made}", chance.Next(), chance.Next(3));

    private string NewId() => string.Create(CultureInfo.InvariantCulture, $"t{++_made}");

    private IEnumerable<Entry> Listed(string account) => _entries[account]
        .OrderByDescending(entry => entry.IsPending).ThenByDescending(entry => entry.Day).ThenBy(entry => entry.Rank);

    private string AccountJson(string id)
    {
        var days = _entries[id].Where(entry => !entry.IsPending).Select(entry => entry.Day).Order().ToArray();
        var intervals = days.Length == 0 ? "" : $$"""{"from":"{{days[0]:yyyy-MM-dd}}","to":"{{days[^1]:yyyy-MM-dd}}"}""";
        return $$"""{"type":"account","id":"{{id}}","connection":"{{ConnectionId}}","institution":"AU00000","transactionIntervals":[{{intervals}}]}""";
    }

    private TransactionsPage Page(string filter, int limit, int skip)
    {
        Pages++;
        OnPage();
        var account = AccountFilter().Match(filter) is { Success: true } match ? match.Groups[1].Value : null;
        var all = accounts.Where(id => account is null || id == account).SelectMany(id => Listed(id).Where(entry => entry.Passes(filter)).Select(entry => entry.Json(id))).ToArray();
        var next = skip + limit < all.Length ? string.Create(CultureInfo.InvariantCulture, $$""","links":{"next":"{{filter}}|{{limit}}|{{skip + limit}}"}""") : "";
        return TransactionsPage.Parse(Encoding.UTF8.GetBytes($$"""{"type":"list","data":[{{string.Join(',', all.Skip(skip).Take(limit))}}]{{next}}}"""));
    }

    [GeneratedRegex(@"account\.id\.eq\('([^']+)'\)")]
    private static partial Regex AccountFilter();

    [GeneratedRegex(@"transaction\.postDate\.gteq\('([^']+)'\)")]
    private static partial Regex SinceFilter();

    [GeneratedRegex(@"transaction\.postDate\.bt\('([^']+)','([^']+)'\)")]
    private static partial Regex BetweenFilter();

    /// <param name="Id">Basiq's id.</param>
    /// <param name="Day">The bank's day.</param>
    /// <param name="IsPending">Whether it is pending.</param>
    /// <param name="Words">The description.</param>
    /// <param name="Rank">Its place among those of the day.</param>
    /// <param name="Clock">How the bank tells the day: as it is, as midnight in Sydney, or as an hour of the day there.</param>
    private sealed record Entry(string Id, DateOnly Day, bool IsPending, string Words, int Rank, int Clock)
    {
        private DateTime Moment => Clock switch
        {
            0 => Day.ToDateTime(TimeOnly.MinValue),
            1 => TimeZoneInfo.ConvertTimeToUtc(Day.ToDateTime(TimeOnly.MinValue), Sydney),
            _ => TimeZoneInfo.ConvertTimeToUtc(Day.ToDateTime(new TimeOnly(22, 30)), Sydney),
        };

        private static TimeZoneInfo Sydney { get; } = TimeZoneInfo.FindSystemTimeZoneById("Australia/Sydney");

        public string Json(string account)
        {
            var date = string.Create(CultureInfo.InvariantCulture, $"\"{Moment:yyyy-MM-ddTHH:mm:ss}Z\"");
            return $$"""{"type":"transaction","id":"{{Id}}","status":"{{(IsPending ? "pending" : "posted")}}","description":"{{Words}}","account":"{{account}}","transactionDate":{{date}},"postDate":{{(IsPending ? "null" : date)}}}""";
        }

        public bool Passes(string filter)
        {
            if (filter.Contains("transaction.status.eq('pending')", StringComparison.Ordinal) && !IsPending)
                return false;
            if (SinceFilter().Match(filter) is { Success: true } since)
                return !IsPending && Moment >= At(since.Groups[1].Value);
            return BetweenFilter().Match(filter) is not { Success: true } between
                || (!IsPending && Moment >= At(between.Groups[1].Value) && Moment <= At(between.Groups[2].Value));
        }

        private static DateTime At(string date) => DateTime.ParseExact(date, "yyyy-MM-dd", CultureInfo.InvariantCulture);
    }
}
