using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Web;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Users;

namespace BasiqFunctions.FaultTests;

/// <summary>One person, and what must become of the sync of their banks.</summary>
/// <param name="Number">Numbers the people of a run.</param>
/// <param name="Email">Unlike everybody else's: by it the person is found again at the sandbox.</param>
/// <param name="Logins">One bank each.</param>
/// <param name="Expected">How the sync must end.</param>
/// <param name="ByPost">Starts the sync by <c>POST …/syncs</c>, and not by coming back from the consent page.</param>
/// <param name="Leaves">Has everything deleted in the end.</param>
/// <param name="IsDamaged">Has a bit of the snapshot flipped, and another sync that mends it.</param>
internal sealed record Person(
    int Number, string Email, IReadOnlyList<string> Logins, string Expected, bool ByPost, bool Leaves, bool IsDamaged)
{
    /// <summary>Whether a report is asked for when there are accounts.</summary>
    public bool HasReport => Number % 3 == 0 && Expected is not "failed";

    /// <summary>What the report is called, unlike everybody else's.</summary>
    public string ReportTitle => $"Of person {Number}";

    private static readonly string[] Happy = [.. TestUsers.All.Where(u => !u.AlwaysFails).Select(u => u.LoginId)];

    /// <summary>What the failing logins fail with, as the sandbox documents them.</summary>
    public static IReadOnlyDictionary<string, string> FailureCodes { get; } = new Dictionary<string, string>
    {
        ["bighead"] = "invalid-credentials",
        ["erlich"] = "account-not-accessible-requires-user-action",
        ["jianYang"] = "service-unavailable",
    };

    private static readonly string[] Failing = [.. FailureCodes.Keys];

    public static Person Draw(int seed, int number)
    {
        var random = new Random(HashCode(seed, number));
        var (happy, failing) = (Happy[random.Next(Happy.Length)], Failing[random.Next(Failing.Length)]);
        var (logins, expected) = random.Next(10) switch
        {
            < 6 => ((string[])[happy], "completed"),
            < 8 => ([failing], "failed"),
            _ => ([happy, failing], "partial"),
        };
        return new Person(number, $"person-{seed}-{number}@faults.example", logins, expected, random.Next(2) == 0, random.Next(8) == 0, random.Next(5) == 0);
    }

    // Not System.HashCode, which differs from process to process.
    private static int HashCode(int seed, int number) => unchecked((seed * 486_187_739) + (number * 16_777_619));
}

/// <summary>What became of a person. Null where it did not come to that.</summary>
/// <param name="Person">Who.</param>
/// <param name="Creation">What the creation of the user was answered.</param>
/// <param name="UserId">The user.</param>
/// <param name="SyncId">The last sync.</param>
/// <param name="Sync">How it ended.</param>
/// <param name="ReportId">The report.</param>
/// <param name="Repeats">How often a sync before it was repeated by a refresh: it said that something could not be read, or its snapshot was damaged.</param>
internal sealed record Outcome(
    Person Person, string Creation, string? UserId = null, string? SyncId = null, JsonElement? Sync = null, string? ReportId = null, int Repeats = 0);

/// <summary>Takes people from the creation of their user to the end of their sync, as an app and a browser would.</summary>
internal sealed partial class Journey(Host host, FaultyUpstream upstream, HttpClient sandbox, FeedReaders readers, Tally tally)
{
    public const string Created = "created";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>By the error of a sync that could not read something, what must have been answered oddly then.</summary>
    private static readonly Dictionary<string, string> OddErrors = new()
    {
        ["endless-pages"] = OddAnswers.EndlessPages,
        ["accounts-skipped"] = OddAnswers.MalformedAccount,
    };

    private int _linksAsked;

    /// <summary>How many requests for a consent link, each of which may cost one client token, were sent.</summary>
    public int LinksAsked => _linksAsked;

    public async Task<Outcome> RunAsync(Person person, CancellationToken cancellation)
    {
        var (creation, userId) = await CreateUserAsync(person, cancellation);
        if (userId is null)
            return new Outcome(person, creation);
        readers.Start(userId, cancellation);
        var link = await AskAsync(
            () =>
            {
                Interlocked.Increment(ref _linksAsked);
                return host.Api.PostAsJsonAsync($"users/{userId}/consent-link", new { }, cancellation);
            },
            HttpStatusCode.OK, $"the consent link of {person.Email}", cancellation);
        var back = await ConsentAsync(new Uri(link.GetProperty("url").GetString()!), person, cancellation);
        var jobIds = HttpUtility.ParseQueryString(back.Query)["jobIds"]!.Split(',');
        var started = await AskAsync(
            () => person.ByPost
                ? host.Api.PostAsJsonAsync($"users/{userId}/syncs", new { jobIds }, cancellation)
                : host.Api.GetAsync(new Uri($"consent/return{back.Query}", UriKind.Relative), cancellation),
            HttpStatusCode.Accepted, $"the start of the sync of {person.Email}", cancellation);
        for (var repeats = 0; ; repeats++)
        {
            var syncId = started.GetProperty("syncId").GetString()!;
            var sync = await FollowAsync(userId, syncId, cancellation);
            if (ErrorOf(sync) is not { } error || !OddErrors.TryGetValue(error, out var kind))
            {
                if (person.IsDamaged && repeats == 0 && person.Expected is "completed" && await SufferDamageAsync(userId, new Random(person.Number), cancellation))
                {
                    started = await RefreshAsync(userId, person, jobIds, cancellation);
                    continue;
                }

                var reportId = person.HasReport ? await ReportAsync(userId, person, cancellation) : null;
                if (person.Leaves)
                    await LeaveAsync(userId, cancellation);
                return new Outcome(person, creation, userId, syncId, sync, reportId, repeats);
            }

            if (!upstream.WasOdd(userId, kind))
                tally.Violated($"Sync {syncId} of {person.Email} ended with '{error}', and nothing had been answered so.");
            started = await RefreshAsync(userId, person, jobIds, cancellation);
        }
    }

    /// <summary>Has the banks asked anew; where nobody but the person can mend any of them, the jobs that failed are looked at once more.</summary>
    private Task<JsonElement> RefreshAsync(string userId, Person person, string[] jobIds, CancellationToken cancellation) => AskAsync(
        async () =>
        {
            var answer = await host.Api.PostAsJsonAsync($"users/{userId}/refresh", new { force = true }, cancellation);
            if (answer.StatusCode is not HttpStatusCode.OK)
                return answer;
            answer.Dispose();
            return await host.Api.PostAsJsonAsync($"users/{userId}/syncs", new { jobIds }, cancellation);
        },
        HttpStatusCode.Accepted, $"a refresh for {person.Email}", cancellation);

    /// <summary>Asks for a report, again with the same key when the answer was lost, and waits until it can be read.</summary>
    private async Task<string> ReportAsync(string userId, Person person, CancellationToken cancellation)
    {
        var asked = await AskAsync(
            async () =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"users/{userId}/reports", UriKind.Relative))
                {
                    Content = JsonContent.Create(new { type = "affordability", title = person.ReportTitle }),
                };
                request.Headers.Add("Idempotency-Key", person.Email);
                var answer = await host.Api.SendAsync(request, cancellation);

                // Another one with the key, whose answer was lost, is still under way.
                if (answer.StatusCode is HttpStatusCode.Conflict)
                    answer.StatusCode = HttpStatusCode.ServiceUnavailable;
                return answer;
            },
            HttpStatusCode.Accepted, $"a report for {person.Email}", cancellation);
        var reportId = asked.GetProperty("reportId").GetString()!;
        await AskAsync(
            async () =>
            {
                var answer = await host.Api.GetAsync(new Uri($"users/{userId}/reports/{reportId}", UriKind.Relative), cancellation);
                if (answer.StatusCode is HttpStatusCode.Accepted)
                    answer.StatusCode = HttpStatusCode.ServiceUnavailable;
                return answer;
            },
            HttpStatusCode.OK, $"report {reportId}", cancellation);
        return reportId;
    }

    /// <summary>Flips a bit in a file of a snapshot: what is read of it from then on is as before, or refused as damaged.</summary>
    /// <returns>Whether there was a file.</returns>
    private async Task<bool> SufferDamageAsync(string userId, Random random, CancellationToken cancellation)
    {
        List<string> paths = [$"users/{userId}/accounts"];
        List<string> sound = [];
        for (var i = 0; i < paths.Count; i++)
        {
            sound.Add(await ReadWholeAsync(paths[i], cancellation) ?? throw new InvalidOperationException($"{paths[i]} is damaged, and nobody did it."));
            if (i == 0)
            {
                paths.AddRange(JsonElement.Parse(sound[0]).GetProperty("accounts").EnumerateArray()
                    .Select(account => $"users/{userId}/accounts/{account.GetProperty("id").GetString()}/transactions?limit=500"));
            }
        }

        if (!host.TryDamageSnapshot(userId, random))
            return false;
        tally.Injected(Fault.DamagedSnapshot);
        foreach (var (path, before) in paths.Zip(sound))
        {
            if (await ReadWholeAsync(path, cancellation) is { } now && now != before)
                tally.Violated($"{path} is served although it is damaged: {now[..Math.Min(300, now.Length)]}");
        }

        return true;
    }

    /// <summary>All pages of an answer; null when one is damaged. What nobody reads is found damaged, and mended, only when its whole history is due.</summary>
    private async Task<string?> ReadWholeAsync(string path, CancellationToken cancellation)
    {
        List<string> pages = [];
        var cursor = "";
        while (await ReadAsync(path + cursor, cancellation) is { } page)
        {
            pages.Add(page);
            if (!JsonElement.Parse(page).TryGetProperty("nextCursor", out var next) || next.GetString() is not { } text)
                return string.Join('\n', pages);
            cursor = $"&cursor={text}";
        }

        return null;
    }

    /// <summary>What is answered in the end; null for what is damaged.</summary>
    private async Task<string?> ReadAsync(string path, CancellationToken cancellation)
    {
        string? body = null;
        await AskAsync(
            async () =>
            {
                var answer = await host.Api.GetAsync(new Uri(path, UriKind.Relative), cancellation);
                body = await answer.Content.ReadAsStringAsync(cancellation);
                if (answer.StatusCode is HttpStatusCode.InternalServerError && CodeOf(body) is "snapshot-damaged")
                {
                    body = null;
                    answer.StatusCode = HttpStatusCode.NoContent;
                }
                else if (answer.StatusCode is HttpStatusCode.OK)
                {
                    answer.StatusCode = HttpStatusCode.NoContent;
                }

                return answer;
            },
            HttpStatusCode.NoContent, path, cancellation);
        return body;
    }

    private static string? CodeOf(string problem) =>
        JsonElement.Parse(problem).TryGetProperty("code", out var code) ? code.GetString() : null;

    /// <summary>The code of what went wrong with a sync; null where nothing did.</summary>
    public static string? ErrorOf(JsonElement sync) =>
        sync.TryGetProperty("error", out var error) && error.ValueKind is JsonValueKind.Object ? error.GetProperty("code").GetString() : null;

    private async Task<JsonElement> FollowAsync(string userId, string syncId, CancellationToken cancellation)
    {
        while (true)
        {
            var sync = await AskAsync(
                () => host.Api.GetAsync(new Uri($"users/{userId}/syncs/{syncId}", UriKind.Relative), cancellation),
                HttpStatusCode.OK, $"sync {syncId}", cancellation);
            if (sync.GetProperty("status").GetString() is not ("waiting-for-bank" or "fetching"))
                return sync;
            await Task.Delay(Pause, cancellation);
        }
    }

    /// <summary>
    /// Deletes a user, and waits for the receipt of a removal that takes longer. When the answer to a deletion that was done was lost, the
    /// next one finds none.
    /// </summary>
    private async Task LeaveAsync(string userId, CancellationToken cancellation)
    {
        Uri? receipt = null;
        await AskAsync(
            async () =>
            {
                var answer = await host.Api.DeleteAsync(new Uri($"users/{userId}", UriKind.Relative), cancellation);
                if (answer.StatusCode is HttpStatusCode.Accepted)
                    receipt = answer.Headers.Location;
                if (answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Accepted)
                    answer.StatusCode = HttpStatusCode.NoContent;
                return answer;
            },
            HttpStatusCode.NoContent, $"the deletion of {userId}", cancellation);
        if (receipt is null)
            return;
        await AskAsync(
            async () =>
            {
                var answer = await host.Api.GetAsync(receipt, cancellation);
                if (answer.StatusCode is HttpStatusCode.NotFound)
                    answer.StatusCode = HttpStatusCode.ServiceUnavailable;
                return answer;
            },
            HttpStatusCode.OK, $"the receipt of the removal of {userId}", cancellation);
    }

    /// <summary>
    /// Asks until the answer is the one that is expected. Faults may show as 429, 5xx or a lost connection; any other answer is wrong.
    /// </summary>
    public async Task<JsonElement> AskAsync(
        Func<Task<HttpResponseMessage>> ask, HttpStatusCode expected, string what, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                using var answer = await ask();
                var body = await answer.Content.ReadAsStringAsync(cancellation);
                if (answer.StatusCode == expected)
                    return expected is HttpStatusCode.NoContent ? default : JsonElement.Parse(body);
                if (answer.StatusCode is not HttpStatusCode.TooManyRequests && (int)answer.StatusCode < 500)
                {
                    tally.Violated($"Asked for {what}, LocalHost answered {(int)answer.StatusCode}: {body}");
                    throw new InvalidOperationException($"No way on with {what}.");
                }
            }
            catch (HttpRequestException)
            {
                // LocalHost is being killed or started.
            }
            catch (Exception exception) when (exception is IOException or SocketException)
            {
                // It was killed in the middle of its answer, or just when it had taken the connection.
            }

            await Task.Delay(Pause, cancellation);
        }
    }

    /// <summary>Once: whoever does not know whether a user was created must not create another.</summary>
    private async Task<(string Creation, string? UserId)> CreateUserAsync(Person person, CancellationToken cancellation)
    {
        try
        {
            using var answer = await host.Api.PostAsJsonAsync("users", new { email = person.Email }, cancellation);
            var body = JsonElement.Parse(await answer.Content.ReadAsStringAsync(cancellation));
            return answer.StatusCode is HttpStatusCode.Created
                ? (Created, body.GetProperty("id").GetString())
                : (body.GetProperty("code").GetString()!, null);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException)
        {
            await WaitForHostAsync(cancellation);
            return ("connection-lost", null);
        }
    }

    private async Task WaitForHostAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await Task.Delay(Pause, cancellation);
            try
            {
                using var answer = await host.Api.GetAsync(new Uri("health", UriKind.Relative), cancellation);
                return;
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException)
            {
                // Not up yet.
            }
        }
    }

    private async Task<Uri> ConsentAsync(Uri link, Person person, CancellationToken cancellation)
    {
        var query = HttpUtility.ParseQueryString(link.Query);
        var jobIds = "";
        foreach (var (i, login) in person.Logins.Index())
        {
            var isLast = i == person.Logins.Count - 1;
            using var form = new FormUrlEncodedContent(
            [
                new("token", query["token"]), new("state", query["state"]), new("institutionId", "AU00000"), new("loginId", login),
                new("password", TestUsers.Find(login)!.Password), new("jobIds", jobIds), new(isLast ? "finish" : "another", "1"),
            ]);
            using var page = await sandbox.PostAsync(new Uri("home", UriKind.Relative), form, cancellation);
            if (isLast)
                return page.Headers.Location ?? throw new InvalidOperationException($"The consent page answered {(int)page.StatusCode}.");
            jobIds = WebUtility.HtmlDecode(JobIdsField().Match(await page.Content.ReadAsStringAsync(cancellation)).Groups[1].Value);
        }

        throw new InvalidOperationException("A person has at least one login.");
    }

    [GeneratedRegex("name=\"jobIds\" value=\"([^\"]*)\"")]
    private static partial Regex JobIdsField();
}
