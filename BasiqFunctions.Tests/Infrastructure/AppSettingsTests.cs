using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using BasiqFunctions.Data;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tests.Infrastructure;

/// <summary>
/// What the code reads, the sample shows and the templates set is the same. Where one of these fails, <see
/// cref="AppSettingsContract"/> says how to heal it.
/// </summary>
[Trait("Category", "Infra")]
public sealed partial class AppSettingsTests
{
    private const string Contract = "BasiqFunctions.Tests/Infrastructure/AppSettingsContract.cs";
    private const string Template = "infra/modules/function-app.bicep";

    private static IEnumerable<string> LeftAtDefault => AppSettingsContract.LeftAtDefault.SelectMany(list => list.Options);

    [Theory]
    [InlineData("dev")]
    [InlineData("prod")]
    public void The_container_s_rule_deletes_nothing_that_a_snapshot_may_refer_to(string environment)
    {
        var parameters = File.ReadAllText(Path.Combine(Repository.Root, "infra", $"{environment}.bicepparam"));
        var days = int.Parse(Regex.Match(parameters, @"^param snapshotRetentionDays = (\d+)$", RegexOptions.Multiline).Groups[1].Value, CultureInfo.InvariantCulture);

        Assert.True(days > new SnapshotOptions().MaxAge.TotalDays, $"{environment} deletes blobs after {days} days.");
    }

    [SkippableTheory]
    [InlineData("dev")]
    [InlineData("prod")]
    public async Task Every_option_is_set_or_left_at_its_default_on_purpose(string environment)
    {
        BicepCompiler.SkipWithout();
        var set = (await Deployment.OfAsync(environment)).AppSettings.Keys.Select(AppSettingsContract.OptionOf).ToHashSet();

        Findings.None(AppSettingsContract.Options
            .Where(option => !set.Contains(option) && !LeftAtDefault.Contains(option))
            .Select(option => $"{option}: set it in {Template}, or add it to LeftAtDefault in {Contract}."));
    }

    [SkippableFact]
    public async Task What_is_left_at_its_default_is_an_option_and_is_not_set_everywhere()
    {
        BicepCompiler.SkipWithout();
        Findings.None(LeftAtDefault.Except(AppSettingsContract.Options).Select(option => $"{option} is no option: take it out of {Contract}."));

        var everywhere = new HashSet<string?>(AppSettingsContract.Options);
        foreach (var environment in Deployment.Environments)
            everywhere.IntersectWith((await Deployment.OfAsync(environment)).AppSettings.Keys.Select(AppSettingsContract.OptionOf));

        Findings.None(LeftAtDefault.Intersect(everywhere!).Select(option => $"{option} is set: take it out of {Contract}."));
    }

    [SkippableTheory]
    [InlineData("dev")]
    [InlineData("prod")]
    public async Task Every_setting_of_the_template_is_read(string environment)
    {
        BicepCompiler.SkipWithout();
        var sources = Sources();

        Findings.None((await Deployment.OfAsync(environment)).AppSettings.Keys
            .Where(setting => AppSettingsContract.OptionOf(setting) is null
                && !AppSettingsContract.ReadByTheHost.ContainsKey(setting)
                && !setting.Split("__").All(part => sources.Contains($"\"{part}\"", StringComparison.Ordinal)))
            .Select(setting => $"{setting} is read by nobody: take it out of {Template}, or add it to ReadByTheHost in {Contract}."));
    }

    [SkippableFact]
    public async Task Every_environment_variable_that_the_app_reads_is_set()
    {
        BicepCompiler.SkipWithout();
        var deployment = await Deployment.OfAsync("prod");
        var read = VariableName().Matches(Sources()).Select(match => match.Groups[1].Value).Distinct().ToList();
        var notSet = AppSettingsContract.NotSet.SelectMany(list => list.Names).ToList();

        Findings.None(read.Where(name => !deployment.AppSettings.ContainsKey(name) && !notSet.Contains(name))
            .Select(name => $"{name}: set it in {Template}, or add it to NotSet in {Contract}."));
        Findings.None(notSet.Except(read).Select(name => $"{name} is read by nobody: take it out of {Contract}."));
    }

    [SkippableFact]
    public async Task The_sample_sets_what_Azure_has()
    {
        BicepCompiler.SkipWithout();
        var deployment = await Deployment.OfAsync("prod");
        using var sample = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "local.settings.sample.json")));
        var values = sample.RootElement.GetProperty("Values").EnumerateObject().Select(value => value.Name).ToList();

        Findings.None(values
            .Where(name => !deployment.AppSettings.ContainsKey(name)
                && !AppSettingsContract.OnlyInTheSample.ContainsKey(name)
                && !(AppSettingsContract.OptionOf(name) is { } option && LeftAtDefault.Contains(option)))
            .Select(name => $"{name} is in local.settings.sample.json alone: set it in {Template}, or say in {Contract} how Azure has it."));
        Findings.None(AppSettingsContract.OnlyInTheSample.Keys.Except(values).Select(name => $"{name} is not in the sample: take it out of {Contract}."));
    }

    [SkippableFact]
    public async Task The_host_has_the_same_limits_on_a_developers_machine()
    {
        BicepCompiler.SkipWithout();
        var deployment = await Deployment.OfAsync("prod");
        using var sample = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "local.settings.sample.json")));
        var values = sample.RootElement.GetProperty("Values");

        Assert.All(
            ["AzureWebJobsDisableHomepage", "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"],
            name => Assert.Equal(deployment.AppSettings[name], values.GetProperty(name).GetString()));
    }

    [SkippableTheory]
    [InlineData("dev")]
    [InlineData("prod")]
    public async Task The_app_starts_with_what_the_template_sets(string environment)
    {
        BicepCompiler.SkipWithout();
        var settings = (await Deployment.OfAsync(environment)).AppSettings.ToDictionary(
            setting => setting.Key.Replace("__", ":", StringComparison.Ordinal),
            setting => (string?)InAzure(setting.Value));
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        var services = new ServiceCollection().AddLogging().AddSingleton<IConfiguration>(configuration).AddBasiqFunctions(configuration);
        await using var provider = services.BuildServiceProvider();

        provider.GetRequiredService<IStartupValidator>().Validate();

        Assert.Equal(settings["Snapshots:Container"], provider.GetRequiredService<IOptions<SnapshotOptions>>().Value.Container);
    }

    [Fact]
    public void The_options_classes_are_found() =>
        Assert.Superset(
            new HashSet<string> { "Basiq", "Consent", "KeyVault", "Snapshots", "Sync" },
            AppSettingsContract.OptionsClasses.Select(options => options.Section).ToHashSet());

    /// <summary>What Azure makes of what the compiler leaves open, as far as a setting's form goes.</summary>
    private static string InAzure(string value) => value.StartsWith("[format('https://{0}{1}', ", StringComparison.Ordinal)
        ? Argument().Replace(value, "https://$1.vault.azure.net")
        : value;

    private static string Sources() => string.Join('\n', Directory
        .EnumerateFiles(Path.Combine(Repository.Root, "BasiqFunctions"), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
        .Select(File.ReadAllText));

    [GeneratedRegex("\"([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)\"")]
    private static partial Regex VariableName();

    [GeneratedRegex(@"^\[format\('https://\{0\}\{1\}', '([^']+)', environment\(\)\.suffixes\.keyvaultDns\)\]$")]
    private static partial Regex Argument();
}
