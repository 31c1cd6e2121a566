using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using BasiqFunctions.LocalHost;
using BasiqFunctions.Platform.Telemetry;
using BasiqFunctions.Reports;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Documentation;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Tests.Platform.Telemetry;

/// <summary>The tables of docs/telemetry.md are what the app does, and its log messages can hold nothing that they must not.</summary>
[Trait("Category", "Journeys")]
public sealed partial class DocumentationTests
{
    /// <summary>
    /// What a log message may name: ids, counts, times, codes and names that are ours. Whoever needs another makes sure that it
    /// holds nothing secret or personal, and adds it here.
    /// </summary>
    private static readonly string[] AllowedPlaceholders =
    [
        "Absent", "Accounts", "Action", "Attempt", "Blobs", "Calls", "Check", "Code", "ConnectionId", "Connections", "CorrelationId", "Count", "Deadline", "EndedBefore",
        "Endpoint", "ErrorCode", "EventId", "Exception", "ExpiresAt", "Failed", "Failure", "File", "Function", "Hint", "InstanceId", "Jobs", "Kind", "KnownToBasiq", "Longest",
        "MessageId", "Milliseconds", "Name", "PassId", "Reason", "Removed", "ReportId", "Role", "RunId", "Seconds", "Secret", "StackTrace", "Status", "StatusCode", "SyncId", "Transactions", "UserId", "Users",
    ];

    public static TheoryData<string> Messages => [.. All().Select(m => $"{m.Area}.{m.Method.Name}")];

    [Fact]
    public void No_two_log_messages_have_the_same_event_id()
    {
        Assert.NotEmpty(All());
        Assert.All(
            All().GroupBy(m => m.Message.EventId),
            g => Assert.True(g.Count() == 1, $"{g.Key} is the id of {string.Join(" and ", g.Select(m => $"{m.Area}.{m.Method.Name}"))}."));
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_log_message_s_event_id_is_in_its_area_s_range(string name)
    {
        var (area, _, message) = All().Single(m => $"{m.Area}.{m.Method.Name}" == name);
        var ranges = Regex.Matches(DocumentTests.Page("telemetry"), $@"^\|[^|]*`{Regex.Escape(area)}`[^|]*\| (\d+) to (\d+) \|", RegexOptions.Multiline);

        Assert.Contains(ranges, range =>
            message.EventId >= int.Parse(range.Groups[1].ValueSpan, CultureInfo.InvariantCulture)
            && message.EventId <= int.Parse(range.Groups[2].ValueSpan, CultureInfo.InvariantCulture));
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_log_message_holds_what_is_allowed_and_no_more(string name)
    {
        var (_, method, message) = All().Single(m => $"{m.Area}.{m.Method.Name}" == name);
        var placeholders = Placeholder().Matches(message.Message).Select(m => m.Groups[1].Value).ToArray();

        Assert.All(placeholders, p => Assert.Contains(p, AllowedPlaceholders));

        // The source generator writes every parameter, in the message or not, but for the logger, the level and the exception.
        Assert.Equal(
            placeholders.Order(StringComparer.OrdinalIgnoreCase),
            method.GetParameters()
                .Where(p => p.ParameterType != typeof(ILogger) && p.ParameterType != typeof(LogLevel) && p.ParameterType != typeof(Exception))
                .Select(p => p.Name!)
                .Order(StringComparer.OrdinalIgnoreCase),
            StringComparer.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Every_instrument_is_in_the_table_with_its_unit_and_tags()
    {
        using var telemetry = new TelemetryCapture();
        await using var app = await AppUnderTest.StartAsync();
        var userId = await app.CreateUserAsync();
        var sync = await app.WaitForSyncAsync(userId, await app.ConsentAndReturnAsync(userId, "Whistler", "bighead"));
        Assert.Equal(SyncState.Partial, sync.Status);
        await File.WriteAllTextAsync(app.State.Files.Single(file => Path.GetFileName(file) == "current.json"), "{");
        using (var damaged = await app.Api.GetAsync(new Uri($"users/{userId}/accounts", UriKind.Relative)))
            await AppUnderTest.AssertProblemAsync(damaged, HttpStatusCode.InternalServerError, "snapshot-damaged");
        await app.DeleteAsync($"users/{userId}");
        await app.SubscribeAsync();
        using (var forged = await app.SendWebhookAsync("msg-1", """{"eventId":"1"}""", "whsec_AAAA"))
            Assert.Equal(HttpStatusCode.Unauthorized, forged.StatusCode);
        using (var signed = await app.SendWebhookAsync("msg-2", """{"eventId":"no-such-event"}"""))
            Assert.Equal(HttpStatusCode.NoContent, signed.StatusCode);
        await AppUnderTest.WaitForAsync(() => Task.FromResult(app.Logs.Text), text => text.Contains("Event no-such-event", StringComparison.Ordinal));
        app.Services.GetRequiredService<Instruments>().AccountsSkipped("malformed-id", 1);
        app.Services.GetRequiredService<Instruments>().Posted(1, 1);
        app.Services.GetRequiredService<Instruments>().BankVisited("made");
        app.Services.GetRequiredService<Instruments>().NotificationTried("sync.ended", Instruments.Success);
        app.Services.GetRequiredService<Instruments>().ReportEnded(isReady: true, TimeSpan.FromSeconds(3));
        await app.Services.GetRequiredService<ReportQuota>().TakeAsync(default);
        telemetry.Observe();

        var rows = DocumentTests.Page("telemetry").Split('\n').Where(line => line.StartsWith("| `basiq.", StringComparison.Ordinal)).ToArray();
        var instruments = telemetry.InstrumentsOf(app.Services);
        Assert.Equal(rows.Length, instruments.Count);
        Assert.All(instruments, instrument =>
        {
            Assert.False(string.IsNullOrEmpty(instrument.Description));
            var tags = telemetry.Of(app.Services, instrument.Name).SelectMany(m => m.Tags).Select(t => t.Key).Distinct();
            Assert.Contains(
                rows, row => row.StartsWith($"| `{instrument.Name}` | `{instrument.Unit}` |", StringComparison.Ordinal)
                    && row.Split('|')[3].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                        .Order(StringComparer.Ordinal)
                        .SequenceEqual(tags.Select(t => $"`{t}`").Order(StringComparer.Ordinal)));
        });
    }

    private static List<(string Area, MethodInfo Method, LoggerMessageAttribute Message)> All() =>
    [
        .. from assembly in new[] { typeof(BasiqFunctionsRegistration).Assembly, typeof(LocalHostOptions).Assembly }
           from type in assembly.GetTypes()
           from method in type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
           from message in method.GetCustomAttributes<LoggerMessageAttribute>()
           select (type.Namespace!["BasiqFunctions.".Length..], method, message),
    ];

    [GeneratedRegex(@"\{([^{},:]+)[^{}]*\}")]
    private static partial Regex Placeholder();
}
