using System.Reflection;

namespace BasiqFunctions.Tests.Infrastructure;

/// <summary>
/// The one place that says which settings the templates leave alone, and why. A new option goes into the first list, or is set in
/// <c>infra/modules/function-app.bicep</c>.
/// </summary>
internal static class AppSettingsContract
{
    /// <summary>Options that the templates do not set, with the reason.</summary>
    public static IReadOnlyList<(string Reason, string[] Options)> LeftAtDefault { get; } =
    [
        ("The default is right everywhere; whoever must change it does by the parameter appSettings.",
        [
            "Basiq:AttemptTimeout",
            "Basiq:BaseUrl",
            "Basiq:ConsentUrl",
            "Basiq:MaxAnswerBytes",
            "Basiq:MaxConcurrentCalls",
            "Basiq:MaxConnections",
            "Basiq:MaxRetries",
            "Basiq:MaxRetryDelay",
            "Basiq:MaxTokenRequests",
            "Basiq:RetryDelay",
            "Basiq:Table",
            "Basiq:TokenRequestWindow",
            "Basiq:TotalTimeout",
            "Changes:KeepFor",
            "Changes:ReadFor",
            "Connections:FreshFor",
            "Connections:InstitutionsFor",
            "Connections:StaleAfter",
            "Connections:StaleInstitutionsFor",
            "Connections:Table",
            "Connections:VisitsForPeople",
            "Connections:VisitsPerDay",
            "Consent:StateLifetime",
            "Due:CheckEvery",
            "Due:SpreadOver",
            "Due:Table",
            "Http:BodyTimeout",
            "Http:Deadline",
            "Idempotency:Lease",
            "Idempotency:Retention",
            "Idempotency:Table",
            "Notifications:AllowedNetworks",
            "Notifications:EventGrid",
            "Notifications:KeepFor",
            "Notifications:Queue",
            "Notifications:SecretOverlap",
            "Notifications:Table",
            "Receipts:KeepFor",
            "Receipts:Table",
            "Removal:KeepFinishedFor",
            "Removal:MostAtOnce",
            "Reports:FirstPollDelay",
            "Reports:JobTimeout",
            "Reports:KeepFor",
            "Reports:MaxPerDay",
            "Reports:MaxPollDelay",
            "Reports:Table",
            "Snapshots:LeftoverGrace",
            "Snapshots:MaxAge",
            "Snapshots:TimeZone",
            "Sync:FirstPollDelay",
            "Sync:FullEvery",
            "Sync:GatherNewsFor",
            "Sync:JobTimeout",
            "Sync:KeepFinishedFor",
            "Sync:MaxAttempts",
            "Sync:MaxParallelAccounts",
            "Sync:MaxPollDelay",
            "Sync:MaxRetryDelay",
            "Sync:MaxTokenDelay",
            "Sync:Overlap",
            "Sync:PageSize",
            "Sync:PagesPerActivity",
            "Sync:PollDelayGrowth",
            "Sync:PollDelayWithNews",
            "Sync:RetryDelay",
            "Sync:TokenPatience",
            "Webhooks:RememberFor",
            "Webhooks:SecretOverlap",
            "Webhooks:Table",
        ]),
        ("A secret: it is in the vault.", ["Basiq:ApiKey"]),
        ("For a developer's machine.", ["KeyVault:LocalFile"]),
    ];

    /// <summary>Environment variables that the app reads and the templates do not set, with the reason.</summary>
    public static IReadOnlyList<(string Reason, string[] Names)> NotSet { get; } =
    [
        ("The platform sets it.", ["IDENTITY_ENDPOINT", "WEBSITE_INSTANCE_ID", "WEBSITE_SITE_NAME"]),
        ("For a developer's machine.", ["AZURE_FUNCTIONS_ENVIRONMENT"]),
        ("Telemetry goes to Application Insights.", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SERVICE_NAME"]),
        ("A scope of Basiq's, no setting.", ["SERVER_ACCESS"]),
        ("A type of Basiq's reports, no setting.", ["CON_AFFOR_01", "STATEMENT_01"]),
    ];

    /// <summary>Settings of the sample that Azure has otherwise, with how.</summary>
    public static IReadOnlyDictionary<string, string> OnlyInTheSample { get; } = new Dictionary<string, string>
    {
        ["FUNCTIONS_WORKER_RUNTIME"] = "functionAppConfig.runtime; Flex Consumption refuses the setting.",
        ["AZURE_FUNCTIONS_ENVIRONMENT"] = "Production, which is what the host takes it for.",
        ["AzureWebJobsStorage"] = "AzureWebJobsStorage__accountName, by identity.",
        ["AzureFunctionsJobHost__extensions__durableTask__tracing__version"] =
            "V2, by host.json. Without Application Insights the Durable extension warns of it at each start.",
    };

    /// <summary>Settings that are not this app's to read but its host's, or its libraries'.</summary>
    public static IReadOnlyDictionary<string, string> ReadByTheHost { get; } = new Dictionary<string, string>
    {
        ["AzureWebJobsDisableHomepage"] = "The host: show no page of its own at the root.",
        ["AzureWebJobsStorage__credential"] = "The host: reach the account as a managed identity.",
        ["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"] = "The host: take no larger body.",
    };

    /// <summary>The options classes of the app: each has a constant that names its section.</summary>
    public static IReadOnlyList<(Type Type, string Section)> OptionsClasses { get; } =
    [
        .. from type in typeof(BasiqFunctionsRegistration).Assembly.GetTypes()
           where type.Name.EndsWith("Options", StringComparison.Ordinal)
           let section = type.GetField("Section", All) ?? type.GetField("SectionName", All)
           where section is { IsLiteral: true }
           select (type, (string)section.GetRawConstantValue()!),
    ];

    /// <summary>Every option of the app, such as <c>Sync:JobTimeout</c>.</summary>
    public static IReadOnlyList<string> Options { get; } =
        [.. OptionsClasses.SelectMany(options => options.Type.GetProperties().Where(p => p.CanWrite).Select(p => $"{options.Section}:{p.Name}"))];

    private const BindingFlags All = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>The option that a setting sets, be it an item of a list as <c>Consent__ReturnUrls__0</c>; null for none.</summary>
    public static string? OptionOf(string setting)
    {
        var parts = setting.Split("__");
        return parts.Length >= 2
            ? Options.FirstOrDefault(option => option.Equals($"{parts[0]}:{parts[1]}", StringComparison.OrdinalIgnoreCase))
            : null;
    }
}
