using System.IO.Compression;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Tests.Hosting;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Reports;

/// <summary>What a report says of people is found in the answer and, encrypted, in its blobs: nowhere else.</summary>
[Trait("Category", "Journeys")]
[Collection(WatchedAlone.Collection)]
public sealed class ReportConfidentialityTests
{
    private const string Title = "Zaphodine Quackenbush";

    [Fact(Timeout = 180_000)]
    public async Task Names_addresses_and_figures_of_a_report_are_found_nowhere_but_in_the_answer()
    {
        using var state = new TemporaryDirectory();
        using var watch = new LeakWatch();
        Dictionary<string, string> planted = new() { ["title"] = Title };
        LogCapture logs;
        await using (var app = await AppUnderTest.StartAsync(["Reports:FirstPollDelay=00:00:00.05", "Sandbox:ShareOfLostReportAnswers=0.5"], state: state))
        {
            logs = app.Logs;
            var userId = await ReportTests.ConnectedAsync(app, "Gilfoyle");
            var accounts = (await AppUnderTest.ReadAsync(await app.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative)))).GetProperty("accounts");
            var accountId = accounts[0].GetProperty("id").GetString()!;
            foreach (var request in (object[])
                [new { type = "statement", accountIds = (string[])[accountId], from = "2020-01-01", title = Title }, new { type = "affordability", title = Title }])
            {
                var url = await ReportTests.AskAsync(app, userId, request);
                using var json = await ReportTests.ReadyAsync(app, url);
                var text = await json.Content.ReadAsStringAsync();
                await watch.KeepAsync(json);
                using var pdf = await ReportTests.GetPdfAsync(app, url);
                Assert.Contains(Title, text, StringComparison.Ordinal);
                Plant(planted, JsonElement.Parse(text).GetProperty("data"), "report");
                using var transactions = await app.Api.GetAsync(new Uri($"{url}/transactions", UriKind.Relative));
                Assert.NotEmpty((await AppUnderTest.ReadAsync(transactions)).GetProperty("transactions").EnumerateArray());
                using var summary = await app.Api.GetAsync(new Uri($"{url}/summary", UriKind.Relative));
            }

            // The watch sees what there is: an orchestration that has made a report is among the histories.
            var made = await app.Services.GetRequiredService<DurableTaskClient>()
                .GetAllInstancesAsync(new OrchestrationQuery(InstanceIdPrefix: "report-", FetchInputsAndOutputs: true)).ToListAsync();
            Assert.Equal(2, made.Count);
            Assert.All(made, instance => Assert.DoesNotContain("Zaphodine", instance.SerializedInput + instance.SerializedOutput + instance.SerializedCustomStatus, StringComparison.Ordinal));
        }

        Assert.True(planted.Count > 40, $"{planted.Count}");
        var channels = await watch.ChannelsAsync(logs, state);
        Assert.Contains("MakeReport", channels["journal"], StringComparison.Ordinal);
        Assert.Contains("BasiqReports", channels["records"], StringComparison.Ordinal);
        Assert.Contains("POST /reports", channels["metric"], StringComparison.Ordinal);
        var detector = new LeakDetector(planted);
        var found = channels.SelectMany(channel => detector.Find(channel.Key, channel.Value)).ToArray();
        Assert.True(found.Length == 0, string.Join(Environment.NewLine, found));

        // The blobs of the reports, and nothing that lies beside them, are opaque.
        var blobs = state.Files.Where(file => file.Contains(".reports/", StringComparison.Ordinal)).ToArray();
        Assert.Equal(8, blobs.Length);
        foreach (var blob in blobs)
        {
            var bytes = await File.ReadAllBytesAsync(blob);
            Assert.DoesNotContain(planted, secret => bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret.Value)) >= 0);

            // What is encrypted cannot be made smaller.
            using var packed = new MemoryStream();
            await using (var brotli = new BrotliStream(packed, CompressionLevel.Fastest, leaveOpen: true))
                await brotli.WriteAsync(bytes);
            Assert.True(packed.Length > bytes.Length * 0.9, blob);
        }
    }

    /// <summary>Every text of a report that could say something of somebody.</summary>
    private static void Plant(Dictionary<string, string> planted, JsonElement json, string path)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in json.EnumerateObject().Where(member => member.Name is not "accreditation"))
                {
                    if (member.Name is "fullName" or "DOB" or "addressLine1" or "accountHolder" or "accountNo" or "balance" or "availableFunds" or "phoneNumbers" or "total" or "value" or "description")
                        Plant(planted, member.Value, member.Name);
                    else if (member.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
                        Plant(planted, member.Value, member.Name);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in json.EnumerateArray())
                    Plant(planted, item, path);
                break;
            case JsonValueKind.String when path is not ("sections" or "tags") && json.GetString() is { Length: > 5 } text:
                planted[$"{path} {planted.Count}"] = text;
                break;
        }
    }
}
