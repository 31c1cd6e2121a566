using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Tests.Hosting;
using nietras.SeparatedValues;
using Parquet;

namespace BasiqFunctions.Tests.Data.Exports;

/// <summary>Exports of what a sync has fetched, through a host.</summary>
[Trait("Category", "Journeys")]
public sealed class ExportJourneyTests
{
    [Fact]
    public async Task What_a_sync_has_fetched_can_be_had_as_a_file()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:TransactionsPerAccount=1500", "Sandbox:AccountsPerUser=2"]);
        var userId = await app.CreateUserAsync();
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "gavinBelson"));
        Dictionary<string, (string Amount, string Description)> listed = [];
        string? cursor = null;
        do
        {
            var page = await app.Api.GetFromJsonAsync<JsonElement>($"users/{userId}/transactions?limit=500{(cursor is null ? "" : $"&cursor={cursor}")}");
            foreach (var transaction in page.GetProperty("transactions").EnumerateArray())
                listed.Add(transaction.GetProperty("id").GetString()!, (transaction.GetProperty("amount").GetString()!, transaction.GetProperty("description").GetString()!));
            cursor = page.TryGetProperty("nextCursor", out var next) ? next.GetString() : null;
        }
        while (cursor is not null);

        using var csv = await app.Api.GetAsync(new Uri($"users/{userId}/transactions.csv", UriKind.Relative));
        Assert.Equal((HttpStatusCode.OK, "text/csv"), (csv.StatusCode, csv.Content.Headers.ContentType!.MediaType));
        Dictionary<string, (string Amount, string Description)> exported = [];
        using (var rows = Sep.Reader(options => options with { Unescape = true }).FromText(await csv.Content.ReadAsStringAsync()))
        {
            foreach (var row in rows)
                exported.Add(row["transactionId"].ToString(), (row["amount"].ToString(), row["description"].ToString()));
        }

        Assert.Equal(3_000, exported.Count);
        Assert.Equal(listed.OrderBy(row => row.Key, StringComparer.Ordinal), exported.OrderBy(row => row.Key, StringComparer.Ordinal));

        using var parquet = await app.Api.GetAsync(new Uri($"users/{userId}/transactions.parquet", UriKind.Relative));
        await using var file = await ParquetReader.CreateAsync(new MemoryStream(await parquet.Content.ReadAsByteArrayAsync()));
        using var group = file.OpenRowGroupReader(0);
        Assert.Equal(3_000, group.RowCount);
        var amounts = new decimal?[group.RowCount];
        await group.ReadAsync(file.Schema.DataFields.Single(field => field.Name == "amount"), amounts.AsMemory());
        Assert.Equal(listed.Values.Sum(row => decimal.Parse(row.Amount, CultureInfo.InvariantCulture)), amounts.Sum());
    }

    [Fact]
    public async Task An_answer_that_breaks_off_never_looks_whole()
    {
        await using var app = await AppUnderTest.StartAsync(["Sandbox:TransactionsPerAccount=20000", "Sandbox:AccountsPerUser=2"]);
        var userId = await app.CreateUserAsync();
        await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "gavinBelson"));
        var store = new SnapshotParts(app.Services);
        var connection = (await store.Reader.GetCurrentAsync(new(userId), default))!.Accounts[0].ConnectionId;

        using var client = new HttpClient { BaseAddress = app.Api.BaseAddress };
        using var answer = await client.GetAsync(new Uri($"users/{userId}/transactions.csv", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        await using var body = await answer.Content.ReadAsStreamAsync();
        var buffer = new byte[1_024];
        await body.ReadExactlyAsync(buffer);
        Assert.StartsWith("accountId,", Encoding.UTF8.GetString(buffer), StringComparison.Ordinal);
        await store.Removal.RemoveConnectionAsync(new(userId), connection, null, default);

        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(Stream.Null));
    }
}
