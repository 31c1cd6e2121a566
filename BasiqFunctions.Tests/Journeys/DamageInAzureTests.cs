using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Journeys;

/// <summary>Bytes of what is kept in Azure Storage, here a real Azurite, change: what is given out is what had been stored, or an error.</summary>
[Trait("Category", "Journeys")]
public sealed class DamageInAzureTests(AzuriteFixture azurite) : IClassFixture<AzuriteFixture>
{
    private readonly string _test = $"t{Guid.NewGuid():N}"[..20];

    [SkippableFact]
    public async Task A_byte_of_any_blob_of_a_snapshot_that_changes_is_never_served_and_the_next_sync_mends_it()
    {
        await using var app = await StartAsync();
        var userId = await ConsentLifeTests.UserWithDataAsync(app, kept: (_, _) => Task.FromResult<string[]>(["kept"]));
        var sound = await ReadAsync(app, userId);
        Assert.All(sound, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        var container = new BlobContainerClient(azurite.ConnectionString, _test);
        var refusals = 0;

        foreach (var blob in container.GetBlobs().Select(item => container.GetBlobClient(item.Name)).ToArray())
        {
            var content = (await blob.DownloadContentAsync()).Value.Content.ToArray();
            foreach (var at in (int[])[0, content.Length / 2, content.Length - 1])
            {
                await blob.UploadAsync(BinaryData.FromBytes(Flipped(content, at)), overwrite: true);
                foreach (var (answer, before) in (await ReadAsync(app, userId, sound)).Zip(sound))
                {
                    var isRefused = answer.Status is HttpStatusCode.InternalServerError && answer.Body.Contains("\"snapshot-damaged\"", StringComparison.Ordinal);
                    Assert.True(isRefused || answer == before, $"Byte {at} of {blob.Name}: {answer}");
                    refusals += isRefused ? 1 : 0;
                }
            }

            await blob.UploadAsync(BinaryData.FromBytes(content), overwrite: true);
        }

        Assert.True(refusals > 3, $"Only {refusals} answers were refused.");
        Assert.Equal(sound, await ReadAsync(app, userId, sound));

        var manifest = container.GetBlobClient($"{userId}/current.json");
        var last = (await manifest.DownloadContentAsync()).Value.Content.ToArray();
        await manifest.UploadAsync(BinaryData.FromBytes(Flipped(last, last.Length / 2)), overwrite: true);
        using (var refused = await app.Api.GetAsync(new Uri(sound[0].Path, UriKind.Relative)))
            await AppUnderTest.AssertProblemAsync(refused, HttpStatusCode.InternalServerError, "snapshot-damaged");
        using var refresh = await app.Api.PostAsJsonAsync($"users/{userId}/refresh", new { force = true });
        Assert.Equal(HttpStatusCode.Accepted, refresh.StatusCode);
        await app.WaitForSyncAsync(userId, (await AppUnderTest.ReadAsync(refresh)).GetProperty("syncId").GetString()!);
        Assert.All(await ReadAsync(app, userId, sound), answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
    }

    [SkippableFact]
    public async Task A_byte_of_a_record_that_changes_is_a_503_that_names_the_store()
    {
        await using var app = await StartAsync();
        var first = await CreateAsync(app);
        Assert.Equal(HttpStatusCode.Created, first.Status);
        var table = new TableClient(azurite.ConnectionString, $"{_test}Idempotency");
        var records = table.Query<TableEntity>().Where(entity => entity.GetBinary("Content") is { Length: > 0 }).ToArray();
        Assert.NotEmpty(records);

        foreach (var record in records)
        {
            var content = record.GetBinary("Content");
            record["Content"] = Flipped(content, content.Length / 2);
            await table.UpdateEntityAsync(record, Azure.ETag.All, TableUpdateMode.Replace);
        }

        var refused = await CreateAsync(app);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.Status);
        var problem = JsonElement.Parse(refused.Body);
        Assert.Equal("dependency-unavailable", problem.GetProperty("code").GetString());
        Assert.Contains("'records' (damaged)", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);

        foreach (var record in records)
        {
            var content = record.GetBinary("Content");
            record["Content"] = Flipped(content, content.Length / 2);
            await table.UpdateEntityAsync(record, Azure.ETag.All, TableUpdateMode.Replace);
        }

        Assert.Equal(first, await CreateAsync(app));

        // A piece that is missing, or a length that does not fit, is damage as well.
        foreach (var record in records)
        {
            record["Length"] = record.GetInt32("Length") + 1;
            await table.UpdateEntityAsync(record, Azure.ETag.All, TableUpdateMode.Replace);
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await CreateAsync(app)).Status);
    }

    private static byte[] Flipped(byte[] content, int at)
    {
        var flipped = (byte[])content.Clone();
        flipped[at] ^= 0x10;
        return flipped;
    }

    private static async Task<(HttpStatusCode Status, string Body)> CreateAsync(AppUnderTest app)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("users", UriKind.Relative))
        {
            Content = JsonContent.Create(new { email = "gavin@hooli.com" }),
        };
        request.Headers.Add("Idempotency-Key", "a-key");
        using var answer = await app.Api.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>The accounts, and each account's transactions.</summary>
    private static async Task<List<(string Path, HttpStatusCode Status, string Body)>> ReadAsync(
        AppUnderTest app, string userId, IEnumerable<(string Path, HttpStatusCode Status, string Body)>? before = null)
    {
        List<string> paths = [.. before?.Select(answer => answer.Path) ?? [$"users/{userId}/accounts"]];
        List<(string Path, HttpStatusCode Status, string Body)> answers = [];
        for (var i = 0; i < paths.Count; i++)
        {
            using var answer = await app.Api.GetAsync(new Uri(paths[i], UriKind.Relative));
            answers.Add((paths[i], answer.StatusCode, await answer.Content.ReadAsStringAsync()));
            if (i == 0 && before is null)
            {
                paths.AddRange((await AppUnderTest.ReadAsync(answer)).GetProperty("accounts").EnumerateArray()
                    .Select(account => $"users/{userId}/accounts/{account.GetProperty("id").GetString()}/transactions"));
            }
        }

        return answers;
    }

    private Task<AppUnderTest> StartAsync()
    {
        Skip.If(azurite.Missing is not null, azurite.Missing);
        return AppUnderTest.StartAsync(
        [
            "Sandbox:JobDuration=00:00:00", $"AzureWebJobsStorage={azurite.ConnectionString}", $"Snapshots:Container={_test}",
            $"Idempotency:Table={_test}Idempotency", $"Receipts:Table={_test}Receipts", $"Webhooks:Table={_test}Webhooks",
        ]);
    }
}
