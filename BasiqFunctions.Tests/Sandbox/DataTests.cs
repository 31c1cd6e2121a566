using System.Globalization;
using System.Net;
using System.Text.Json;
using BasiqFunctions.Sandbox.Users;

namespace BasiqFunctions.Tests.Sandbox;

[Trait("Category", "Unit")]
public sealed class DataTests
{
    public static TheoryData<string> HappyLogins => [.. TestUsers.All.Where(u => !u.AlwaysFails).Select(u => u.LoginId)];

    [Theory]
    [MemberData(nameof(HappyLogins))]
    public async Task A_happy_user_has_a_believable_year_that_adds_up(string login)
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank(login);
        var accounts = await host.Accounts(userId);
        var transactions = await host.Transactions(userId);

        Assert.True(accounts.Select(a => a.GetProperty("class").GetProperty("type").GetString()).Distinct().Count() >= 2);
        Assert.Contains(transactions, t => t.GetProperty("description").GetString()!.StartsWith("SALARY", StringComparison.Ordinal));
        Assert.InRange(transactions.Count, 250, 2_000);
        Assert.Equal(transactions.Count, transactions.Select(Id).Distinct().Count());
        foreach (var account in accounts)
        {
            var own = transactions.Where(t => t.GetProperty("account").GetString() == Id(account)).ToList();
            var posted = own.Where(t => t.GetProperty("status").GetString() == "posted").ToList();
            Assert.NotEmpty(posted);
            Assert.Equal(Money(account, "balance"), Money(posted[0], "balance"));
            for (var i = 0; i + 1 < posted.Count; i++)
                Assert.Equal(Money(posted[i], "balance"), Money(posted[i + 1], "balance") + Money(posted[i], "amount"));
            var interval = account.GetProperty("transactionIntervals")[0];
            Assert.StartsWith(interval.GetProperty("from").GetString()!, posted[^1].GetProperty("postDate").GetString()!, StringComparison.Ordinal);
            Assert.True(
                string.CompareOrdinal(interval.GetProperty("from").GetString(), "2025-03-16") >= 0
                && string.CompareOrdinal(interval.GetProperty("to").GetString(), "2026-03-16") < 0);
            if (account.GetProperty("class").GetProperty("type").GetString() is "transaction" or "savings")
                Assert.InRange(Money(account, "balance"), 0, 1_000_000);
        }

        Assert.Contains(transactions, t => t.GetProperty("status").GetString() == "pending");
        Assert.All(transactions, t => Assert.Equal(
            t.GetProperty("direction").GetString(), Money(t, "amount") < 0 ? "debit" : "credit"));
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_data_and_another_seed_other_data()
    {
        async Task<string> Amounts(int seed)
        {
            await using var host = await SandboxHost.StartAsync(o => o.Seed = seed);
            var userId = await host.UserWithBank("Gilfoyle");
            return string.Join(' ', (await host.Transactions(userId)).Select(t => t.GetProperty("amount").GetString()));
        }

        var first = await Amounts(1);
        Assert.Equal(first, await Amounts(1));
        Assert.NotEqual(first, await Amounts(2));
    }

    [Fact]
    public async Task A_refresh_renews_pending_ids_keeps_posted_ones_and_adds_the_days_since()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        var before = await host.Transactions(userId);
        var balances = (await host.Accounts(userId)).Select(a => a.GetProperty("balance").GetString()).ToList();

        host.Clock.Advance(TimeSpan.FromDays(30));
        await host.SignIn();
        await host.Send(HttpMethod.Post, $"/users/{userId}/connections/refresh", HttpStatusCode.Accepted);
        Assert.Equal(before.Select(Id), (await host.Transactions(userId)).Select(Id));
        host.Clock.Advance(TimeSpan.FromSeconds(6));
        var after = await host.Transactions(userId);

        Assert.Empty(Ids(before, "pending").Intersect(Ids(after, "pending")));
        Assert.Empty(Ids(before, "posted").Except(Ids(after, "posted")));
        Assert.True(Ids(after, "posted").Count() > Ids(before, "posted").Count());
        Assert.NotEqual(balances, (await host.Accounts(userId)).Select(a => a.GetProperty("balance").GetString()));
        await host.Error(HttpMethod.Get, $"/users/{userId}/transactions/{Ids(before, "pending").First()}", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Each_transaction_is_found_by_its_id()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank("Whistler");
        foreach (var transaction in (await host.Transactions(userId)).Where((_, i) => i % 40 is 0 or 1 or 7))
        {
            var one = await host.Get($"/users/{userId}/transactions/{Id(transaction)}");
            Assert.Equal(transaction.GetRawText(), one.GetRawText());
        }

        foreach (var wrong in (string[])["x", Guid.Empty.ToString(), Guid.NewGuid().ToString()])
            await host.Error(HttpMethod.Get, $"/users/{userId}/transactions/{wrong}", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Pages_follow_each_other_without_gap_or_overlap_newest_first()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank("gavinBelson");
        var all = await host.Transactions(userId);
        foreach (var limit in (int[])[1, 97, 499])
        {
            var paged = limit == 1
                ? [.. (await host.Get($"/users/{userId}/transactions?limit=1")).GetProperty("data").EnumerateArray()]
                : await host.Transactions(userId, $"?limit={limit}");
            Assert.Equal(all.Take(limit == 1 ? 1 : int.MaxValue).Select(Id), paged.Select(Id));
        }

        var days = all.Where(t => t.GetProperty("status").GetString() == "posted").Select(t => t.GetProperty("postDate").GetString()).ToList();
        Assert.Equal(days.OrderByDescending(d => d, StringComparer.Ordinal), days);
        Assert.True(all.FindLastIndex(t => t.GetProperty("status").GetString() == "pending") < all.Count - days.Count);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("501")]
    [InlineData("-1")]
    [InlineData("many")]
    public async Task A_limit_out_of_range_is_refused(string limit)
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        var error = await host.Error(HttpMethod.Get, $"/users/{userId}/transactions?limit={limit}", HttpStatusCode.BadRequest);
        Assert.Equal("limit", error.GetProperty("source").GetProperty("parameter").GetString());
    }

    [Fact]
    public async Task A_next_link_is_worth_nothing_changed_or_for_another_user()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        var other = await host.UserWithBank();
        var next = (await host.Get($"/users/{userId}/transactions?limit=5")).GetProperty("links").GetProperty("next").GetString()!;
        Assert.StartsWith($"{host.BaseUrl}/users/{userId}/transactions?next=", next, StringComparison.Ordinal);
        foreach (var bad in (string[])[next.Replace(userId, other, StringComparison.Ordinal), next[..^2], $"/users/{userId}/transactions?next="])
        {
            var error = await host.Error(HttpMethod.Get, bad, HttpStatusCode.BadRequest);
            Assert.Equal("next", error.GetProperty("source").GetProperty("parameter").GetString());
        }
    }

    [Fact]
    public async Task Transactions_are_filtered_by_account_date_status_direction_and_class()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank("Wentworth-Smith");
        var all = await host.Transactions(userId);
        var account = all[^1].GetProperty("account").GetString()!;

        async Task Expect(string filter, Func<JsonElement, bool> passes)
        {
            var found = await host.Transactions(userId, $"?limit=50&filter={Uri.EscapeDataString(filter)}");
            Assert.Equal(all.Where(passes).Select(Id), found.Select(Id));
            Assert.NotEmpty(found);
            Assert.NotEqual(all.Count, found.Count);
        }

        static string Day(JsonElement t) => t.GetProperty("postDate").GetString()?[..10] ?? "9999";
        static bool Between(JsonElement t, string from, string to) =>
            string.CompareOrdinal(Day(t), from) >= 0 && string.CompareOrdinal(Day(t), to) <= 0;
        var some = Day(all[all.Count / 2]);
        await Expect($"account.id.eq('{account}')", t => t.GetProperty("account").GetString() == account);
        await Expect("transaction.postDate.bt('2025-07-01','2025-09-30')", t => Between(t, "2025-07-01", "2025-09-30"));
        await Expect($"transaction.postDate.eq('{some}')", t => Day(t) == some);
        await Expect($"transaction.postDate.gt('{some}')", t => string.CompareOrdinal(Day(t), some) > 0 && Day(t) != "9999");
        await Expect($"transaction.postDate.gteq('{some}')", t => string.CompareOrdinal(Day(t), some) >= 0 && Day(t) != "9999");
        await Expect($"transaction.postDate.lt('{some}')", t => string.CompareOrdinal(Day(t), some) < 0);
        await Expect($"transaction.postDate.lteq('{some}')", t => string.CompareOrdinal(Day(t), some) <= 0);
        await Expect($"transaction.postDate.lteq('{some}T12:00:00Z')", t => string.CompareOrdinal(Day(t), some) <= 0);
        await Expect("transaction.status.eq('pending')", t => t.GetProperty("status").GetString() == "pending");
        await Expect("transaction.status.eq('posted')", t => t.GetProperty("status").GetString() == "posted");
        await Expect("transaction.direction.eq('credit')", t => t.GetProperty("direction").GetString() == "credit");
        await Expect("transaction.class.eq('loan-interest')", t => t.GetProperty("class").GetString() == "loan-interest");
        await Expect(
            $"account.id.eq('{account}'), transaction.postDate.bt('2025-07-01','2025-12-31'),transaction.direction.eq('debit')",
            t => t.GetProperty("account").GetString() == account && Between(t, "2025-07-01", "2025-12-31") && t.GetProperty("direction").GetString() == "debit");
        Assert.Empty(await host.Transactions(userId, "?filter=account.id.eq('none')"));
        Assert.Empty(await host.Transactions(userId, "?filter=transaction.postDate.gt('2030-01-01')"));
    }

    [Fact]
    public async Task Accounts_and_connections_are_filtered_by_bank()
    {
        await using var host = await SandboxHost.StartAsync();
        await host.SignIn();
        var userId = await host.CreateUser();
        await host.Connect(userId, "jared");
        await host.Connect(userId, "richard", "AU90001");
        host.Clock.Advance(TimeSpan.FromSeconds(6));

        var connections = (await host.Get($"/users/{userId}/connections?filter=institution.id.eq('AU90001'),status.eq('active')")).GetProperty("data");
        var connection = Assert.Single(connections.EnumerateArray());
        var all = await host.Accounts(userId);
        foreach (var filter in (string[])["institution.id.eq('AU90001')", $"connection.id.eq('{Id(connection)}')", "institution.id.ne('AU00000')"])
        {
            var found = (await host.Get($"/users/{userId}/accounts?filter={filter}")).GetProperty("data").EnumerateArray().ToList();
            Assert.Equal(all.Where(a => a.GetProperty("institution").GetString() == "AU90001").Select(Id), found.Select(Id));
        }

        foreach (var account in all)
            Assert.Equal(account.GetRawText(), (await host.Get($"/users/{userId}/accounts/{Id(account)}")).GetRawText());
        await host.Error(HttpMethod.Get, $"/users/{userId}/accounts/none", HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("account.id.eq(x)")]
    [InlineData("account.id.eq('x'")]
    [InlineData("account.id.eq('x') institution.id.eq('y')")]
    [InlineData("account.id.eq('x'),")]
    [InlineData("account.id.gt('x')")]
    [InlineData("account.name.eq('x')")]
    [InlineData("account.id.like('x')")]
    [InlineData("(')")]
    public async Task A_filter_that_cannot_be_read_is_refused_everywhere(string filter)
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        foreach (var path in (string[])["accounts", "transactions", "connections", "jobs"])
        {
            var error = await host.Error(
                HttpMethod.Get, $"/users/{userId}/{path}?filter={Uri.EscapeDataString(filter)}", HttpStatusCode.BadRequest);
            Assert.Equal("parameter-not-valid", error.GetProperty("code").GetString());
            Assert.Equal("filter", error.GetProperty("source").GetProperty("parameter").GetString());
        }
    }

    [Theory]
    [InlineData("transaction.postDate.eq('yesterday')")]
    [InlineData("transaction.postDate.bt('2024-01-01')")]
    [InlineData("transaction.postDate.bt('2024-01-01','2024-13-01')")]
    [InlineData("transaction.postDate.gt('2024-01-01','2024-02-01')")]
    public async Task A_filter_by_something_that_is_no_date_is_refused(string filter)
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        await host.Error(HttpMethod.Get, $"/users/{userId}/transactions?filter={filter}", HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(25)]
    public async Task A_connection_has_as_many_accounts_as_asked_for(int count)
    {
        await using var host = await SandboxHost.StartAsync(o => (o.AccountsPerUser, o.TransactionsPerAccount) = (count, 3));
        var userId = await host.UserWithBank();
        Assert.Equal(count, (await host.Accounts(userId)).Select(Id).Distinct().Count());
        Assert.Equal(3 * count, (await host.Transactions(userId)).Count);
        Assert.Equal(count, (await host.Get($"/users/{userId}")).GetProperty("accounts").GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task Generated_transactions_are_exactly_as_many_as_asked_for_and_their_balances_add_up()
    {
        await using var host = await SandboxHost.StartAsync(o => (o.AccountsPerUser, o.TransactionsPerAccount) = (1, 5_001));
        var userId = await host.UserWithBank();
        var all = await host.Transactions(userId);
        Assert.Equal(5_001, all.Select(Id).Distinct().Count());
        var posted = all.Where(t => t.GetProperty("status").GetString() == "posted").ToList();
        for (var i = 0; i + 1 < posted.Count; i++)
            Assert.Equal(Money(posted[i], "balance"), Money(posted[i + 1], "balance") + Money(posted[i], "amount"));
        Assert.Equal(Money((await host.Accounts(userId))[0], "balance"), Money(posted[0], "balance"));
    }

    [Fact]
    public async Task A_date_filter_leads_deep_into_ten_million_transactions_and_pages_go_on_from_there()
    {
        await using var host = await SandboxHost.StartAsync(o => (o.AccountsPerUser, o.TransactionsPerAccount) = (1, 10_000_000));
        var userId = await host.UserWithBank();
        var page = await host.Get($"/users/{userId}/transactions?filter=transaction.postDate.lt('2025-06-01')");
        Assert.Equal(500, page.GetProperty("count").GetInt32());
        Assert.StartsWith("2025-05-31", page.GetProperty("data")[0].GetProperty("postDate").GetString(), StringComparison.Ordinal);

        var next = await host.Get(page.GetProperty("links").GetProperty("next").GetString()!);
        var (last, first) = (page.GetProperty("data")[499], next.GetProperty("data")[0]);
        Assert.NotEqual(Id(last), Id(first));
        Assert.Equal(Money(last, "balance"), Money(first, "balance") + Money(last, "amount"));
    }

    [Fact]
    public async Task A_deleted_connection_is_gone_and_its_accounts_are_not()
    {
        await using var host = await SandboxHost.StartAsync();
        var userId = await host.UserWithBank();
        var connectionId = Id((await host.Get($"/users/{userId}/connections")).GetProperty("data")[0]);
        var url = $"/users/{userId}/connections/{connectionId}";
        Assert.NotEmpty((await host.Get(url)).GetProperty("accounts").GetProperty("data").EnumerateArray());

        await host.Send(HttpMethod.Delete, url, HttpStatusCode.NoContent);

        await host.Error(HttpMethod.Get, url, HttpStatusCode.NotFound);
        await host.Error(HttpMethod.Delete, url, HttpStatusCode.NotFound);
        await host.Error(HttpMethod.Post, $"{url}/refresh", HttpStatusCode.NotFound);
        Assert.Empty((await host.Get($"/users/{userId}/connections")).GetProperty("data").EnumerateArray());
        Assert.NotEmpty(await host.Accounts(userId));
    }

    private static string Id(JsonElement resource) => resource.GetProperty("id").GetString()!;

    private static IEnumerable<string> Ids(List<JsonElement> transactions, string status) =>
        transactions.Where(t => t.GetProperty("status").GetString() == status).Select(Id);

    private static decimal Money(JsonElement resource, string name) =>
        decimal.Parse(resource.GetProperty(name).GetString()!, CultureInfo.InvariantCulture);
}
