using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using BasiqFunctions.Basiq;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Tests.Infrastructure;

/// <summary>The alerts look for what the app says, by the names it has for it.</summary>
[Trait("Category", "Infra")]
public sealed partial class AlertTests
{
    private const string Rules = "Microsoft.Insights/scheduledQueryRules";

    [SkippableTheory]
    [InlineData("dev")]
    [InlineData("prod")]
    public async Task Somebody_is_told_of_what_matters(string environment)
    {
        BicepCompiler.SkipWithout();
        var deployment = await Deployment.OfAsync(environment);
        var group = deployment.Only("Microsoft.Insights/actionGroups");

        Assert.Contains("on-call@example.com", group.Text("properties.emailReceivers"), StringComparison.Ordinal);
        Assert.Equal(
            ["basiq-refuses", "data-damaged", "poison-orchestrations", "removals-held", "syncs-failing", "token-old", "token-refresh-failing", "unhealthy"],
            deployment.Of(Rules).Concat(deployment.Of("Microsoft.Insights/metricAlerts")).Select(rule => rule.Text("name")!.Replace($"-{environment}", "", StringComparison.Ordinal)).Order());
        Assert.All(
            deployment.Of(Rules).Concat(deployment.Of("Microsoft.Insights/metricAlerts")),
            rule =>
            {
                Assert.Equal("true", rule.Text("properties.enabled"));
                Assert.Contains(group.Text("id")!, rule.Text("properties.actions"), StringComparison.OrdinalIgnoreCase);
            });
        Assert.Contains(group.Text("id")!, deployment.Only("Microsoft.Consumption/budgets").Text("properties.notifications"), StringComparison.OrdinalIgnoreCase);
    }

    [SkippableFact]
    public async Task Each_event_id_that_an_alert_looks_for_is_logged()
    {
        BicepCompiler.SkipWithout();
        var logged = typeof(BasiqFunctionsRegistration).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>()?.EventId.ToString(System.Globalization.CultureInfo.InvariantCulture))
            .ToHashSet();

        var asked = (await QueriesAsync()).SelectMany(query => OwnEventId().Matches(query).Select(match => match.Groups[1].Value)).ToList();

        Assert.NotEmpty(asked);
        Assert.All(asked, id => Assert.Contains(id, logged));
    }

    [SkippableFact]
    public async Task Each_metric_that_an_alert_looks_for_is_measured()
    {
        BicepCompiler.SkipWithout();
        var sources = string.Join('\n', Directory.EnumerateFiles(Path.Combine(Repository.Root, "BasiqFunctions", "Platform", "Telemetry"), "*.cs").Select(File.ReadAllText));
        Skip.IfNot(sources.Contains(".CreateCounter<", StringComparison.Ordinal), "The app measures nothing yet.");

        var asked = (await QueriesAsync()).SelectMany(query => Metric().Matches(query).Select(match => match.Groups[1].Value)).ToHashSet();

        Assert.Equal(["basiq.call.duration", "basiq.outcome", "basiq.retention.held", "basiq.server_token.age", "basiq.server_token.refreshes", "basiq.storage.damages", "basiq.sync.duration"], asked.Order());
        Assert.All(asked, name => Assert.Contains($"\"{name}\"", sources, StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task Each_name_of_the_app_that_an_alert_looks_for_is_its_name()
    {
        BicepCompiler.SkipWithout();
        var queries = string.Join('\n', await QueriesAsync());

        Assert.Contains("startswith 'orchestration:' and Success == false", queries, StringComparison.Ordinal);
        Assert.Contains($"has '/secrets/{SecretNames.ServerToken}'", queries, StringComparison.Ordinal);
        Assert.Contains($"in ('{Outcome(BasiqFailureKind.Unauthorized)}', '{Outcome(BasiqFailureKind.Forbidden)}')", queries, StringComparison.Ordinal);
        Assert.Contains($"Outcome == '{Outcome(SyncState.Failed)}'", queries, StringComparison.Ordinal);
        Assert.Contains($"/vaults/{(await Deployment.OfAsync("prod")).Only("Microsoft.KeyVault/vaults").Text("name")}'", queries, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_run_book_says_how_to_read_each_alert_and_why_each_role_is_given()
    {
        BicepCompiler.SkipWithout();
        var runBook = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "infra", "README.md"));

        Assert.All(
            (await Deployment.OfAsync("prod")).Of(Rules).Concat((await Deployment.OfAsync("prod")).Of("Microsoft.Insights/metricAlerts")),
            rule => Assert.Contains($"`{rule.Text("name")!.Replace("-prod", "", StringComparison.Ordinal)}`", runBook, StringComparison.Ordinal));
        Assert.All(RoleRules.Names.Values, role => Assert.Contains(role, runBook, StringComparison.Ordinal));
    }

    private static string Outcome(Enum value) => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString());

    private static async Task<IReadOnlyList<string>> QueriesAsync() =>
        [.. (await Deployment.OfAsync("prod")).Of(Rules).Select(rule => rule.At("properties.criteria.allOf")!.AsArray().Single()!.Text("query")!)];

    /// <summary>An event id that is asked for together with a category of this app's.</summary>
    [GeneratedRegex(@"EventId\) == '(\d+)' and tostring\(Properties\.CategoryName\) startswith 'BasiqFunctions\.'")]
    private static partial Regex OwnEventId();

    [GeneratedRegex(@"'(basiq\.[a-z_.]+)'")]
    private static partial Regex Metric();
}
