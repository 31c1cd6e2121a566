using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Data.Changes;

/// <summary>A consumer of the app's own API, from the first bank to the end of the consent.</summary>
[Trait("Category", "Journeys")]
public sealed class ChangesJourneyTests
{
    [Fact]
    public async Task A_consumer_stays_in_step_through_syncs_and_removals_until_the_consent_ends()
    {
        await using var app = await AppUnderTest.StartAsync(
            ["Sandbox:TransactionsPerAccount=150", "Sandbox:AccountsPerUser=2", "Sandbox:NewTransactions=5", "Sandbox:Webhooks=false"]);
        var userId = await app.CreateUserAsync();
        using (var none = await app.Api.GetAsync(new Uri($"users/{userId}/changes", UriKind.Relative)))
            await AppUnderTest.AssertProblemAsync(none, HttpStatusCode.NotFound, "no-snapshot");
        var first = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "gavinBelson"));
        var consumer = new Consumer(app, userId);
        await consumer.CatchUpAsync();
        Assert.Equal(300, consumer.Transactions.Count);
        await consumer.AssertInStepAsync();

        // The bank has news: some are new, and what was pending is posted or has another id.
        using (await app.Sandbox.PostAsync(new Uri($"_sandbox/background-refresh?userId={userId}", UriKind.Relative), null))
        {
            await AppUnderTest.WaitForAsync(
                async () =>
                {
                    await SyncAsync(app, userId, new { connectionIds = new[] { first.Jobs[0].ConnectionId } });
                    await consumer.CatchUpAsync();
                    return consumer.Transactions.Count;
                },
                count => count > 300);
        }

        // A sync that was at it while the bank's news came in may have had a part of them.
        await SyncAsync(app, userId, new { connectionIds = new[] { first.Jobs[0].ConnectionId }, full = true });
        await consumer.CatchUpAsync();
        await consumer.AssertInStepAsync();

        // Nothing is told by a sync that found nothing, but of accounts whose own fields say when they were looked at.
        var told = consumer.Told;
        await SyncAsync(app, userId, new { connectionIds = new[] { first.Jobs[0].ConnectionId }, full = true });
        await consumer.CatchUpAsync();
        Assert.Equal(told, consumer.Told);
        await consumer.AssertInStepAsync();

        // A second bank comes, and the first one goes.
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "richard"));
        await consumer.CatchUpAsync();
        await consumer.AssertInStepAsync();
        using (var deleted = await app.Api.DeleteAsync(new Uri($"users/{userId}/connections/{first.Jobs[0].ConnectionId}", UriKind.Relative)))
            Assert.True(deleted.IsSuccessStatusCode);
        await AppUnderTest.WaitForAsync(
            async () =>
            {
                await consumer.CatchUpAsync();
                return consumer.Accounts.Count;
            },
            count => count == 2);
        Assert.NotEmpty(consumer.Transactions);
        await consumer.AssertInStepAsync();

        var consents = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/consents");
        foreach (var consent in consents.GetProperty("consents").EnumerateArray())
        {
            using var revoked = await app.Api.DeleteAsync(new Uri($"users/{userId}/consents/{consent.GetProperty("id").GetString()}", UriKind.Relative));
        }

        await AppUnderTest.WaitForAsync(consumer.StatusAsync, status => status is HttpStatusCode.NotFound);
        using var ended = await app.Api.GetAsync(new Uri($"users/{userId}/changes?cursor={consumer.Cursor}", UriKind.Relative));
        await AppUnderTest.AssertProblemAsync(ended, HttpStatusCode.NotFound, "consent-ended");
    }

    private static async Task SyncAsync(AppUnderTest app, string userId, object body)
    {
        using var started = await app.Api.PostAsJsonAsync($"users/{userId}/syncs", body);
        Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        await app.WaitForSyncAsync(userId, (await AppUnderTest.ReadAsync(started)).GetProperty("syncId").GetString()!);
    }

    private sealed class Consumer(AppUnderTest app, string userId)
    {
        public Dictionary<string, string> Transactions { get; } = [];

        public Dictionary<string, string> Accounts { get; } = [];

        public string? Cursor { get; private set; }

        /// <summary>How many changes of transactions it was told.</summary>
        public int Told { get; private set; }

        public async Task CatchUpAsync()
        {
            bool hasMore;
            do
            {
                var page = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/changes?limit=70{(Cursor is null ? "" : $"&cursor={Cursor}")}");
                if (page.TryGetProperty("accounts", out var accounts))
                    Apply(Accounts, accounts, change => change.GetProperty("accountId").GetString()!, "account");
                Apply(Transactions, page.GetProperty("changes"), change => $"{change.GetProperty("accountId").GetString()}/{change.GetProperty("transactionId").GetString()}", "transaction");
                Told += page.GetProperty("changes").GetArrayLength();
                Cursor = page.GetProperty("nextCursor").GetString();
                hasMore = page.GetProperty("hasMore").GetBoolean();
            }
            while (hasMore);
        }

        public async Task<HttpStatusCode> StatusAsync()
        {
            using var answer = await app.Api.GetAsync(new Uri($"users/{userId}/changes?cursor={Cursor}", UriKind.Relative));
            return answer.StatusCode;
        }

        public async Task AssertInStepAsync()
        {
            var accounts = (await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts")).GetProperty("accounts").EnumerateArray()
                .ToDictionary(account => account.GetProperty("id").GetString()!, account => account.GetRawText());
            Assert.Equal(accounts.OrderBy(a => a.Key, StringComparer.Ordinal), Accounts.OrderBy(a => a.Key, StringComparer.Ordinal));
            Dictionary<string, string> transactions = [];
            foreach (var account in accounts.Keys)
            {
                string? cursor = null;
                do
                {
                    var page = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/accounts/{account}/transactions?limit=500{(cursor is null ? "" : $"&cursor={cursor}")}");
                    foreach (var transaction in page.GetProperty("transactions").EnumerateArray())
                        transactions.Add($"{account}/{transaction.GetProperty("id").GetString()}", transaction.GetRawText());
                    cursor = page.TryGetProperty("nextCursor", out var next) ? next.GetString() : null;
                }
                while (cursor is not null);
            }

            Assert.Equal(transactions.OrderBy(t => t.Key, StringComparer.Ordinal), Transactions.OrderBy(t => t.Key, StringComparer.Ordinal));
        }

        private static void Apply(Dictionary<string, string> table, JsonElement changes, Func<JsonElement, string> keyOf, string body)
        {
            foreach (var change in changes.EnumerateArray())
            {
                var key = keyOf(change);
                if (change.GetProperty("type").GetString() is "removed")
                    Assert.True(table.Remove(key), $"{key} was removed and is not there.");
                else if (change.GetProperty("type").GetString() is "added")
                    table.Add(key, change.GetProperty(body).GetRawText());
                else
                    table[key] = table.ContainsKey(key) ? change.GetProperty(body).GetRawText() : throw new InvalidOperationException($"{key} was modified and is not there.");
            }
        }
    }
}
