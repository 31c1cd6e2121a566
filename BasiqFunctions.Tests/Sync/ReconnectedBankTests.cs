using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Sync;

/// <summary>Banks that were connected anew count once, banks that were removed stay away, and no other bank suffers for either.</summary>
[Trait("Category", "Journeys")]
public sealed class ReconnectedBankTests
{
    private const string Invalid = "invalid";
    private const string Gone = "gone";

    private readonly ScriptedBasiq _basiq = new();

    [Theory]
    [InlineData(Gone, "123-456 789", "123456789", false)]
    [InlineData(Gone, "123-456 789", "123456789", true)]
    [InlineData(Invalid, "123", "123", false)]
    [InlineData(Invalid, "123", "123", true)]
    [InlineData("deleted", "xxxx 1234", "XXXX1234", false)]
    [InlineData("Invalid", "123", "123", false)]
    public async Task A_bank_that_is_connected_anew_takes_the_old_one_s_place(string old, string oldNumber, string newNumber, bool isStillListed)
    {
        await using var app = await ConnectedAsync(ScriptedBasiq.Account("a1", "c1", oldNumber));
        Becomes("c1", old);
        var anew = ScriptedBasiq.Account("b1", "c2", newNumber);

        var sync = await ConnectAsync(app, "c2", isStillListed ? [ScriptedBasiq.Account("a1", "c1", oldNumber), anew] : [anew]);

        Assert.Equal(SyncState.Completed, sync.Status);
        Assert.Equal(["b1 of c2"], await AccountsAsync(app));
        using var gone = await app.Api.GetAsync(new Uri("users/user-1/accounts/a1/transactions", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(gone, HttpStatusCode.NotFound, "account-not-found");
        Assert.DoesNotContain(app.State.Files, file => file.Contains("/a1/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_job_that_names_no_connection_does_not_count_an_account_twice_either()
    {
        await using var app = await ConnectedAsync(ScriptedBasiq.Account("a1", "c1", "123"), ScriptedBasiq.Account("a2", "c1", "456"));
        Becomes("c1", Invalid);

        await ConnectAsync(
            app, null,
            [ScriptedBasiq.Account("a1", "c1", "123"), ScriptedBasiq.Account("a2", "c1", "456"), ScriptedBasiq.Account("b1", "c2", "123")], "c2");

        Assert.Equal(["a2 of c1", "b1 of c2"], await AccountsAsync(app));
    }

    [Theory]

    // Another login at the same bank: another number.
    [InlineData(Invalid, "123", "456", "AU00000")]
    [InlineData(Gone, "123", "456", "AU00000")]

    // Numbers that are not known, or no number at all.
    [InlineData(Gone, null, null, "AU00000")]
    [InlineData(Invalid, "", "", "AU00000")]
    [InlineData(Invalid, "xxxx", "xxxx", "AU00000")]
    [InlineData(Invalid, "123", null, "AU00000")]

    // Another bank may have an account of the same number.
    [InlineData(Invalid, "123", "123", "AU00001")]

    // A joint account that is seen through two connections that both work, or may come to.
    [InlineData("active", "123", "123", "AU00000")]
    [InlineData("pending", "123", "123", "AU00000")]
    public async Task A_bank_of_which_that_is_not_known_stays(string old, string? oldNumber, string? newNumber, string institution)
    {
        await using var app = await ConnectedAsync(ScriptedBasiq.Account("a1", "c1", oldNumber));
        Becomes("c1", old);

        // The list names the new bank's account alone, as an odd or a filtered one does.
        await ConnectAsync(app, "c2", [ScriptedBasiq.Account("b1", "c2", newNumber, institution: institution)]);

        Assert.Equal(["a1 of c1", "b1 of c2"], await AccountsAsync(app));
        Assert.Equal(1, await TransactionsAsync(app, "a1"));
    }

    [Theory]
    [InlineData("""{"type":"list"}""")]
    [InlineData("""{"type":"list","data":null}""")]
    [InlineData("""{"type":"list","data":[]}""")]
    [InlineData("""{"type":"list","data":[{"type":"connection","id":"c3","status":"active"}]}""")]
    [InlineData("""{"type":"list","data":[null,{"type":"connection","id":"c2","status":"active"}]}""")]
    [InlineData("""{"type":"list","data":[{"type":"connection","id":null},{"type":"connection","id":"c2","status":"active"}]}""")]
    [InlineData("""{"type":"list","data":[{"type":"error","code":"access-denied","title":"t","detail":"Access to this resource is forbidden"}]}""", HttpStatusCode.Forbidden)]
    [InlineData("""{"type":"list","data":[{"type":"error","code":"resource-not-found","title":"t","detail":"d"}]}""", HttpStatusCode.NotFound)]
    public async Task Without_a_list_of_connections_that_can_be_believed_nothing_is_counted_twice(string list, HttpStatusCode status = HttpStatusCode.OK)
    {
        await using var app = await ConnectedAsync(ScriptedBasiq.Account("a1", "c1", "123"));
        Becomes("c1", Gone);
        _basiq.Instead = request => request == "GET /users/user-1/connections" ? ScriptedBasiq.Json(list, status) : null;

        var sync = await ConnectAsync(app, "c2", [ScriptedBasiq.Account("b1", "c2", "123")]);

        Assert.Equal(SyncState.Failed, sync.Status);
        Assert.Equal(["a1 of c1"], await AccountsAsync(app));

        _basiq.Instead = _ => null;
        Assert.Equal(SyncState.Completed, (await SyncAsync(app, "job-1")).Status);
        Assert.Equal(["b1 of c2"], await AccountsAsync(app));
    }

    [Theory]
    [InlineData(Gone, false)]
    [InlineData(Gone, true)]
    [InlineData(Invalid, true)]
    public async Task A_job_of_the_old_connection_does_not_bring_the_old_account_back(string old, bool withTheNewOne)
    {
        string[] both = [ScriptedBasiq.Account("a1", "c1", "123"), ScriptedBasiq.Account("b1", "c2", "123")];
        await using var app = await ConnectedAsync(both[0]);
        Becomes("c1", old);
        await ConnectAsync(app, "c2", both);
        Assert.Equal(["b1 of c2"], await AccountsAsync(app));
        _basiq.Jobs["job-old"] = ScriptedBasiq.Job("job-old", "c1");
        _basiq.Jobs["job-new"] = ScriptedBasiq.Job("job-new", "c2");

        Assert.Equal(SyncState.Completed, (await SyncAsync(app, withTheNewOne ? ["job-old", "job-new"] : ["job-old"])).Status);

        Assert.Equal(["b1 of c2"], await AccountsAsync(app));
        Assert.Equal(1, await TransactionsAsync(app, "b1"));
    }

    [Theory]
    [InlineData(Gone)]
    [InlineData(Invalid)]
    public async Task Jobs_of_both_connections_in_the_first_sync_count_the_bank_once(string old)
    {
        await using var app = await AppUnderTest.StartAsync(configure: _basiq.Attach);
        _basiq.Connections["c1"] = _basiq.Connections["c2"] = "active";
        Becomes("c1", old);
        _basiq.Accounts = [ScriptedBasiq.Account("a1", "c1", "123"), ScriptedBasiq.Account("a2", "c1", "456"), ScriptedBasiq.Account("b1", "c2", "123")];
        _basiq.Jobs["job-old"] = ScriptedBasiq.Job("job-old", "c1");
        _basiq.Jobs["job-new"] = ScriptedBasiq.Job("job-new", "c2");

        Assert.Equal(SyncState.Completed, (await SyncAsync(app, "job-old", "job-new")).Status);

        Assert.Equal(["a2 of c1", "b1 of c2"], await AccountsAsync(app));
    }

    [Fact]
    public async Task A_list_without_accounts_takes_none_of_another_bank_away()
    {
        await using var app = await ConnectedAsync(ScriptedBasiq.Account("a1", "c1", "123"));
        Becomes("c1", Gone);

        await ConnectAsync(app, "c2", []);

        Assert.Equal(["a1 of c1"], await AccountsAsync(app));
    }

    [Theory]
    [InlineData("a list without it")]
    [InlineData("an empty list")]
    [InlineData("a list of another connection")]
    public async Task An_account_that_one_list_lacks_stays_also_when_the_job_is_its_own_bank_s(string odd)
    {
        string[] both = [ScriptedBasiq.Account("a1", "c1", "123"), ScriptedBasiq.Account("a2", "c1", "456")];
        await using var app = await ConnectedAsync(both);

        await ConnectAsync(app, "c1", odd switch
        {
            "a list without it" => [both[0]],
            "an empty list" => [],
            _ => [ScriptedBasiq.Account("x1", "c7", "789")],
        });

        Assert.Equal(["a1 of c1", "a2 of c1"], await AccountsAsync(app));
        Assert.Equal(1, await TransactionsAsync(app, "a2"));
    }

    [Theory]
    [InlineData(21, false, "a1 of c1")]
    [InlineData(21, true, "a1 of c1,a2 of c1")]
    [InlineData(19, false, "a1 of c1,a2 of c1")]
    public async Task An_account_goes_when_two_lists_a_day_apart_lack_it_and_Basiq_does_not_know_it(int hours, bool isKnown, string left)
    {
        var clock = StandingClock.New();
        _basiq.Clock = clock;
        string[] both = [ScriptedBasiq.Account("a1", "c1", "123"), ScriptedBasiq.Account("a2", "c1", "456")];
        await using var app = await ConnectedAsync(clock, both);
        await ConnectAsync(app, "c1", [both[0]]);
        if (isKnown)
            _basiq.Instead = request => request == "GET /users/user-1/accounts/a2" ? ScriptedBasiq.Json(both[1]) : null;
        clock.Advance(TimeSpan.FromHours(hours));

        await ConnectAsync(app, "c1", [both[0]]);

        Assert.Equal(left.Split(','), await AccountsAsync(app));
    }

    [Fact]
    public async Task An_account_that_its_bank_lists_under_a_new_id_counts_once()
    {
        await using var app = await ConnectedAsync(ScriptedBasiq.Account("a1", "c1", "123"), ScriptedBasiq.Account("a2", "c1", "456"));

        await ConnectAsync(app, "c1", [ScriptedBasiq.Account("a9", "c1", "123"), ScriptedBasiq.Account("a2", "c1", "456")]);

        Assert.Equal(["a2 of c1", "a9 of c1"], await AccountsAsync(app));
    }

    [Fact]
    public async Task Of_a_bank_that_is_connected_anew_in_part_the_rest_stays()
    {
        await using var app = await ConnectedAsync(
            ScriptedBasiq.Account("a1", "c1", "123"), ScriptedBasiq.Account("a2", "c1", "456"),
            ScriptedBasiq.Account("a3", "c1", name: "Loan"), ScriptedBasiq.Account("a4", "c1", name: "Shares"));
        Becomes("c1", Invalid);

        await ConnectAsync(app, "c2", [ScriptedBasiq.Account("b1", "c2", "123"), ScriptedBasiq.Account("b3", "c2", name: "Loan"), ScriptedBasiq.Account("b5", "c2", "789")]);

        Assert.Equal(["a2 of c1", "a4 of c1", "b1 of c2", "b3 of c2", "b5 of c2"], await AccountsAsync(app));
    }

    [Fact]
    public async Task Until_the_new_account_is_fetched_the_old_one_stands_for_it()
    {
        await using var app = await ConnectedAsync(ScriptedBasiq.Account("a1", "c1", "123"));
        Becomes("c1", Gone);
        var page = _basiq.Page;
        _basiq.Page = (_, next) => ([ScriptedBasiq.Transaction("t")], next is null ? "x" : "x");

        Assert.Equal(SyncState.Partial, (await ConnectAsync(app, "c2", [ScriptedBasiq.Account("b1", "c2", "123")])).Status);
        Assert.Equal(["a1 of c1"], await AccountsAsync(app));
        Assert.Equal(1, await TransactionsAsync(app, "a1"));

        _basiq.Page = page;
        _basiq.Jobs["job-again"] = ScriptedBasiq.Job("job-again", "c2");
        await SyncAsync(app, "job-again");
        Assert.Equal(["b1 of c2"], await AccountsAsync(app));
        Assert.Equal(1, await TransactionsAsync(app, "b1"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    public async Task What_was_removed_stays_removed_while_Basiq_lists_its_accounts(int days)
    {
        var clock = StandingClock.New();
        await using var app = await ConnectedAsync(clock, ScriptedBasiq.Account("a1", "c1", "123"));
        await ConnectAsync(app, "c2", [ScriptedBasiq.Account("a1", "c1", "123"), ScriptedBasiq.Account("b1", "c2", "456")]);
        await RemoveAsync(app, "c1");
        Assert.Equal(["b1 of c2"], await AccountsAsync(app));
        clock.Advance(TimeSpan.FromDays(days));

        // A job of a statement names no connection; a list in between may be odd, and an old job of the connection is asked for again.
        string[] both = [ScriptedBasiq.Account("a1", "c1", "123"), ScriptedBasiq.Account("b1", "c2", "456")];
        Assert.Equal(SyncState.Completed, (await ConnectAsync(app, null, both, "c2")).Status);
        Assert.Equal(["b1 of c2"], await AccountsAsync(app));
        Assert.Equal(SyncState.Partial, (await ConnectAsync(app, null, ["null", both[1]], "c2")).Status);
        Assert.Equal(SyncState.Completed, (await ConnectAsync(app, null, both, "c2")).Status);
        Assert.Equal(["b1 of c2"], await AccountsAsync(app));
        _basiq.Jobs["job-old"] = ScriptedBasiq.Job("job-old", "c1");
        Assert.Equal(SyncState.Completed, (await SyncAsync(app, "job-old")).Status);

        Assert.Equal(["b1 of c2"], await AccountsAsync(app));
    }

    [Fact]
    public async Task A_connection_that_Basiq_has_again_is_fetched_again_by_a_job_that_names_it()
    {
        await using var app = await ConnectedAsync(ScriptedBasiq.Account("a1", "c1", "123"));
        await RemoveAsync(app, "c1");
        _basiq.Connections["c1"] = "active";

        await ConnectAsync(app, "c1", [ScriptedBasiq.Account("a1", "c1", "123")]);

        Assert.Equal(["a1 of c1"], await AccountsAsync(app));
    }

    private async Task<AppUnderTest> ConnectedAsync(params string[] accounts) => await ConnectedAsync(null, accounts);

    private async Task<AppUnderTest> ConnectedAsync(TimeProvider? clock, params string[] accounts)
    {
        var app = await AppUnderTest.StartAsync(clock: clock, configure: _basiq.Attach);
        Assert.Equal(SyncState.Completed, (await ConnectAsync(app, "c1", accounts)).Status);
        return app;
    }

    /// <summary>Has Basiq connect a bank, by a job that names the connection or none, and list these accounts; then syncs.</summary>
    private async Task<SyncAnswer> ConnectAsync(AppUnderTest app, string? named, string[] accounts, string? connection = null)
    {
        _basiq.Connections[named ?? connection!] = "active";
        _basiq.Accounts = accounts;
        var jobId = $"job-{_basiq.Jobs.Count}";
        _basiq.Jobs[jobId] = ScriptedBasiq.Job(jobId, named);
        return await SyncAsync(app, jobId);
    }

    private void Becomes(string connectionId, string status)
    {
        if (status == Gone)
            _basiq.Connections.TryRemove(connectionId, out _);
        else
            _basiq.Connections[connectionId] = status;
    }

    private static Task RemoveAsync(AppUnderTest app, string connectionId) => app.DeleteAsync($"users/user-1/connections/{connectionId}");

    private static async Task<SyncAnswer> SyncAsync(AppUnderTest app, params string[] jobIds)
    {
        using var answer = await app.Api.PostAsJsonAsync("users/user-1/syncs", new { jobIds });
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        return await app.WaitForSyncAsync("user-1", (await AppUnderTest.ReadAsync(answer)).GetProperty("syncId").GetString()!);
    }

    private static async Task<string[]> AccountsAsync(AppUnderTest app)
    {
        var accounts = await app.Api.GetFromJsonAsync<JsonElement>("users/user-1/accounts");
        return
        [
            .. accounts.GetProperty("accounts").EnumerateArray()
                .Select(a => $"{a.GetProperty("id").GetString()} of {a.GetProperty("connection").GetString()}").Order(StringComparer.Ordinal),
        ];
    }

    private static async Task<int> TransactionsAsync(AppUnderTest app, string accountId) =>
        (await app.Api.GetFromJsonAsync<JsonElement>($"users/user-1/accounts/{accountId}/transactions")).GetProperty("transactions").GetArrayLength();
}
