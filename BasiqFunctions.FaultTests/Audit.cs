using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Sandbox;

namespace BasiqFunctions.FaultTests;

/// <summary>
/// After the storm: compares what LocalHost says with what the sandbox has. The sandbox is asked directly, past the layer that
/// injects faults.
/// </summary>
internal sealed class Audit(Host host, FaultyUpstream upstream, HttpClient sandbox, Journey journey, FeedReaders readers, Tally tally)
{
    private const string ProblemOfNoJob = "no-job-succeeded";

    /// <summary>A shorter one may stand anywhere by chance.</summary>
    private const int ShortestFigure = 8;

    /// <summary>How many transactions were compared, body by body.</summary>
    public long Transactions { get; private set; }

    public int Accounts { get; private set; }

    /// <summary>How many reports were compared.</summary>
    public int Reports { get; private set; }

    /// <summary>How many transactions of readers were compared.</summary>
    public long Read { get; private set; }

    public async Task RunAsync(IReadOnlyCollection<Outcome> outcomes, TimeSpan took, CancellationToken cancellation)
    {
        await SignInAsync(cancellation);
        await CheckUsersAsync(outcomes, cancellation);
        foreach (var outcome in outcomes.Where(o => o.Sync is not null))
        {
            CheckVerdict(outcome);
            await CheckReaderAsync(readers.Of(outcome.UserId!), cancellation);
            if (outcome.Person.Leaves)
            {
                await CheckGoneAsync(outcome.UserId!, cancellation);
            }
            else
            {
                await CheckSnapshotAsync(outcome, cancellation);
                if (await ReceiptsAsync(outcome.UserId!, cancellation) is > 0 and var receipts)
                    tally.Violated($"Nobody asked to delete anything of {outcome.UserId}, and there are {receipts} receipts that something was.");
            }
        }

        await CheckReportsAsync(outcomes, cancellation);
        CheckTokens(took);
        CheckOutput();
    }

    /// <summary>Of each report that was asked for there is one at the sandbox, and here the same, byte by byte; of who has left there is none at either.</summary>
    private async Task CheckReportsAsync(IReadOnlyCollection<Outcome> outcomes, CancellationToken cancellation)
    {
        var listed = (await AtSandboxAsync("reports", cancellation)).GetProperty("data").EnumerateArray()
            .ToLookup(report => report.GetProperty("title").GetString()!.Split(" [")[0], report => report.GetProperty("id").GetString()!, StringComparer.Ordinal);
        HashSet<string> figures = new(StringComparer.Ordinal);
        foreach (var outcome in outcomes.Where(o => o.ReportId is not null))
        {
            string[] atSandbox = [.. listed[outcome.Person.ReportTitle]];
            if (atSandbox.Length != (outcome.Person.Leaves ? 0 : 1))
                tally.Violated($"Of report {outcome.ReportId} there are {atSandbox.Length} at the sandbox.");
            var path = $"users/{outcome.UserId}/reports/{outcome.ReportId}";
            if (outcome.Person.Leaves)
            {
                using var gone = await host.Api.GetAsync(new Uri(path, UriKind.Relative), cancellation);
                if (gone.StatusCode is not HttpStatusCode.NotFound)
                    tally.Violated($"{outcome.UserId} was deleted, and report {outcome.ReportId} is still here.");
            }
            else
            {
                var report = await AtAppAsync(path, cancellation);
                if (report.GetRawText() != (await AtSandboxAsync($"reports/{atSandbox.FirstOrDefault()}", cancellation)).GetRawText())
                    tally.Violated($"Report {outcome.ReportId} is another at the sandbox.");
                figures.UnionWith(report.GetProperty("data").GetProperty("groups").EnumerateArray()
                    .Select(group => group.GetProperty("analysis").GetProperty("amount").GetProperty("total").GetString()!).Where(figure => figure.Length >= ShortestFigure));
            }

            Reports++;
        }

        CheckConfidential(outcomes, figures);
    }

    /// <summary>
    /// What reports say is in the answers and in their encrypted blobs, and nowhere else of what LocalHost wrote. Snapshots have figures of
    /// their own, which may be the same; titles have only reports.
    /// </summary>
    private void CheckConfidential(IReadOnlyCollection<Outcome> outcomes, IReadOnlyCollection<string> figures)
    {
        string[] titles = [.. outcomes.Where(o => o.ReportId is not null).Select(o => o.Person.ReportTitle)];
        List<(string Name, string Text)> written = [("its output", host.Output), .. host.Files.Select(file => (file, TextOf(file)))];
        foreach (var (name, text) in written)
        {
            foreach (var said in titles.Concat(figures).Where(said => text.Contains(said, StringComparison.Ordinal)))
                tally.Violated($"{name} holds '{said}' of a report.");
        }

        foreach (var blob in host.Blobs)
        {
            var text = TextOf(blob);
            foreach (var said in titles.Concat(blob.Contains(".reports", StringComparison.Ordinal) ? figures : []).Where(said => text.Contains(said, StringComparison.Ordinal)))
                tally.Violated($"{blob} holds '{said}' of a report.");
        }

        // That the search finds what is there: the ids of reports are in the records.
        if (outcomes.FirstOrDefault(o => o.ReportId is not null && !o.Person.Leaves) is { } one && !written.Any(file => file.Text.Contains(one.ReportId!, StringComparison.Ordinal)))
            tally.Violated("The search for what reports say does not find what is there.");
    }

    /// <summary>A file as it is, byte by byte; LocalHost has it open.</summary>
    private static string TextOf(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(file, Encoding.Latin1);
        return reader.ReadToEnd();
    }

    private async Task SignInAsync(CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "token")
        {
            Content = new FormUrlEncodedContent([new("scope", "SERVER_ACCESS")]),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", SandboxOptions.DefaultApiKey);
        request.Headers.Add("basiq-version", "3.0");
        using var answer = await sandbox.SendAsync(request, cancellation);
        var token = await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>(cancellation);
        sandbox.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", token.GetProperty("access_token").GetString());
    }

    /// <summary>No user twice; and an answer that said whether the user exists told the truth.</summary>
    private async Task CheckUsersAsync(IReadOnlyCollection<Outcome> outcomes, CancellationToken cancellation)
    {
        var users = upstream.Emails().ToLookup(e => e, StringComparer.Ordinal);
        foreach (var outcome in outcomes)
        {
            var count = users[outcome.Person.Email].Count();
            var isTrue = outcome.Creation switch
            {
                Journey.Created => count == 1,
                "outcome-unknown" or "connection-lost" => count <= 1,
                _ => count == 0,
            };
            if (!isTrue)
                tally.Violated($"{outcome.Person.Email} exists {count} times at the sandbox; the answer to the creation was '{outcome.Creation}'.");
        }

        foreach (var outcome in outcomes.Where(o => o.UserId is { Length: > 0 } && !(o.Person.Leaves && o.Sync is not null)))
        {
            var user = await AtSandboxAsync($"users/{outcome.UserId}", cancellation);
            if (user.GetProperty("email").GetString() != outcome.Person.Email)
                tally.Violated($"User {outcome.UserId} is not {outcome.Person.Email} at the sandbox.");
        }
    }

    private void CheckVerdict(Outcome outcome)
    {
        var (person, sync) = (outcome.Person, outcome.Sync!.Value);
        var status = sync.GetProperty("status").GetString();
        string[] expected = [.. person.Logins.Select(l => Person.FailureCodes.GetValueOrDefault(l, "")).Order(StringComparer.Ordinal)];
        string[] codes = [.. sync.GetProperty("jobs").EnumerateArray().Select(FailureOf).Order(StringComparer.Ordinal)];

        // A refresh leaves out a bank that the person has to connect again.
        if (outcome.Repeats > 0)
            expected = [.. expected.Where(code => code is "" || codes.Contains(code))];
        if (!codes.SequenceEqual(expected))
            tally.Violated($"Sync {outcome.SyncId} of {person.Email} must have jobs that failed with [{string.Join(", ", expected)}]: {sync}");
        var verdict = expected.All(code => code is "") ? "completed" : expected.Contains("") ? "partial" : "failed";
        if (status != verdict)
            tally.Violated($"Sync {outcome.SyncId} of {person.Email} ({string.Join(", ", person.Logins)}) must be {verdict}: {sync}");
        if (Journey.ErrorOf(sync) != (verdict is "failed" ? ProblemOfNoJob : null))
            tally.Violated($"Sync {outcome.SyncId} of {person.Email} has the wrong error: {sync}");
    }

    private static string FailureOf(JsonElement job) => job.GetProperty("steps").EnumerateArray()
        .Select(s => s.TryGetProperty("code", out var code) ? code.GetString() : null)
        .FirstOrDefault(code => code is not null) ?? "";

    private async Task CheckSnapshotAsync(Outcome outcome, CancellationToken cancellation)
    {
        var userId = outcome.UserId;
        var truth = await AtSandboxAsync($"users/{userId}/accounts", cancellation);
        var expected = Hashes(truth.GetProperty("data").EnumerateArray());
        if (outcome.Person.Expected is "failed")
        {
            if (expected.Count > 0)
                tally.Violated($"The sandbox has accounts of {userId}, whose bank failed: the suite's expectation is wrong.");
            using var answer = await host.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative), cancellation);
            if (answer.StatusCode is not HttpStatusCode.NotFound)
                tally.Violated($"{userId} has a snapshot after a failed sync.");
            return;
        }

        var snapshot = await AtAppAsync($"users/{userId}/accounts", cancellation);

        // A refresh whose answer was lost was asked for again: then the last to be published may be another's.
        if (snapshot.GetProperty("syncId").GetString() != outcome.SyncId && outcome.Repeats == 0)
            tally.Violated($"The snapshot of {userId} is not that of sync {outcome.SyncId}.");
        Compare($"Accounts of {userId}", expected, Hashes(snapshot.GetProperty("accounts").EnumerateArray()));
        Accounts += expected.Count;
        if (expected.Count == 0)
            tally.Violated($"The sandbox has no account of {userId}: nothing would be compared.");

        long total = 0;
        foreach (var accountId in expected.Keys)
        {
            var transactions = await TransactionsAtSandboxAsync(userId!, accountId, cancellation);
            Compare($"Transactions of account {accountId} of {userId}", transactions, await TransactionsAtAppAsync(userId!, accountId, cancellation));
            total += transactions.Count;
        }

        Transactions += total;

        // A sync after the first one counts what it fetched: what is older stays.
        var counted = outcome.Sync!.Value.GetProperty("transactions").GetInt64();
        if (outcome.Repeats == 0 ? counted != total : counted > total)
            tally.Violated($"Sync {outcome.SyncId} counts {counted} of the {total} transactions that there are: {outcome.Sync}");
    }

    /// <summary>What a reader was told, page by page, is what there is.</summary>
    private async Task CheckReaderAsync(FeedReader reader, CancellationToken cancellation)
    {
        await reader.CatchUpAsync(cancellation);
        var userId = reader.UserId;
        using var answer = await host.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative), cancellation);
        Dictionary<string, string> accounts = answer.StatusCode is HttpStatusCode.NotFound
            ? []
            : Hashes((await AtAppAsync($"users/{userId}/accounts", cancellation)).GetProperty("accounts").EnumerateArray());
        Compare($"Accounts of a reader of {userId}", accounts, reader.Accounts.ToDictionary(account => account.Key, account => HashOf(account.Value)));
        var told = reader.Transactions.ToLookup(one => one.Key.AccountId);
        foreach (var accountId in accounts.Keys.Union(told.Select(account => account.Key)))
        {
            var transactions = accounts.ContainsKey(accountId) ? await TransactionsAtAppAsync(userId, accountId, cancellation) : [];
            Compare($"Transactions of account {accountId} of a reader of {userId}", transactions, told[accountId].ToDictionary(one => one.Key.Id, one => HashOf(one.Value)));
            Read += transactions.Count;
        }
    }

    /// <summary>Gone at the sandbox and here, and written down.</summary>
    private async Task CheckGoneAsync(string userId, CancellationToken cancellation)
    {
        using var user = await sandbox.GetAsync(new Uri($"users/{userId}", UriKind.Relative), cancellation);
        if (user.StatusCode is not HttpStatusCode.NotFound)
            tally.Violated($"{userId} was deleted, and the sandbox still has it.");
        using var accounts = await host.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative), cancellation);
        if (accounts.StatusCode is not HttpStatusCode.NotFound)
            tally.Violated($"{userId} was deleted, and its accounts are still here.");
        if (await ReceiptsAsync(userId, cancellation) == 0)
            tally.Violated($"{userId} was deleted, and no receipt says so.");
    }

    private async Task<int> ReceiptsAsync(string userId, CancellationToken cancellation) =>
        (await AtAppAsync($"users/{userId}/deletion-receipts", cancellation)).GetProperty("receipts").GetArrayLength();

    private async Task<Dictionary<string, string>> TransactionsAtSandboxAsync(string userId, string accountId, CancellationToken cancellation)
    {
        List<JsonElement> all = [];
        string? next = $"users/{userId}/transactions?limit=500&filter={Uri.EscapeDataString($"account.id.eq('{accountId}')")}";
        while (next is not null)
        {
            var page = await AtSandboxAsync(next, cancellation);
            all.AddRange(page.GetProperty("data").EnumerateArray());
            next = page.GetProperty("links").TryGetProperty("next", out var link) ? link.GetString() : null;
        }

        return Hashes(all);
    }

    private async Task<Dictionary<string, string>> TransactionsAtAppAsync(string userId, string accountId, CancellationToken cancellation)
    {
        List<JsonElement> all = [];
        var cursor = "";
        while (true)
        {
            var page = await AtAppAsync($"users/{userId}/accounts/{accountId}/transactions?limit=500{cursor}", cancellation);
            all.AddRange(page.GetProperty("transactions").EnumerateArray());
            if (!page.TryGetProperty("nextCursor", out var next) || next.GetString() is not { } text)
                return Hashes(all);
            cursor = $"&cursor={text}";
        }
    }

    /// <summary>The hash of each body by its id. An id that comes twice stands out by a key of its own.</summary>
    private static Dictionary<string, string> Hashes(IEnumerable<JsonElement> items)
    {
        Dictionary<string, string> hashes = new(StringComparer.Ordinal);
        foreach (var item in items)
        {
            var id = item.GetProperty("id").GetString()!;
            while (hashes.ContainsKey(id))
                id += " (again)";
            hashes[id] = HashOf(item.GetRawText());
        }

        return hashes;
    }

    private static string HashOf(string json) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(json)));

    private void Compare(string what, Dictionary<string, string> expected, Dictionary<string, string> actual)
    {
        var missing = expected.Keys.Except(actual.Keys).ToArray();
        var extra = actual.Keys.Except(expected.Keys).ToArray();
        var changed = expected.Where(e => actual.TryGetValue(e.Key, out var hash) && hash != e.Value).Select(e => e.Key).ToArray();
        if (missing.Length + extra.Length + changed.Length > 0)
        {
            tally.Violated(
                $"{what}: of {expected.Count}, {missing.Length} are missing, {extra.Length} are too many, {changed.Length} differ; "
                + $"as {string.Join(", ", missing.Concat(extra).Concat(changed).Take(3))}.");
        }
    }

    /// <summary>A start, a revocation, a lost answer and a tick of the 20-minute timer may cost a server token each, and nothing else.</summary>
    private void CheckTokens(TimeSpan took)
    {
        var (server, spoilt) = upstream.ServerTokens;
        var most = host.Starts + tally.Of(Fault.Revoked) + spoilt + (int)(took / TimeSpan.FromMinutes(20)) + 1;
        if (server > most)
            tally.Violated($"{server} server tokens were asked for; {most} at most were needed.");
        var (client, spoiltClient) = upstream.ClientTokens;
        if (client > journey.LinksAsked + spoiltClient)
            tally.Violated($"{client} client tokens were asked for, for {journey.LinksAsked} consent links and {spoiltClient} lost answers.");
    }

    private void CheckOutput()
    {
        foreach (var secret in new[] { "@faults.example", SandboxOptions.DefaultApiKey, "Bearer " })
        {
            if (host.Output.Contains(secret, StringComparison.Ordinal))
                tally.Violated($"LocalHost's output holds '{secret}'.");
        }
    }

    private async Task<JsonElement> AtSandboxAsync(string path, CancellationToken cancellation) =>
        await sandbox.GetFromJsonAsync<JsonElement>(path, cancellation);

    private Task<JsonElement> AtAppAsync(string path, CancellationToken cancellation) => journey.AskAsync(
        () => host.Api.GetAsync(new Uri(path, UriKind.Relative), cancellation), HttpStatusCode.OK, path, cancellation);
}
