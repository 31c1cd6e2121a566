using System.Reflection;
using BasiqFunctions.Basiq;
using BasiqFunctions.Consents;
using BasiqFunctions.Http;
using BasiqFunctions.Idempotency;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Snapshots;
using BasiqFunctions.Storage;
using BasiqFunctions.Sync;
using BasiqFunctions.Tokens;
using BasiqFunctions.Users;
using BasiqFunctions.Webhooks;

namespace BasiqFunctions.LocalHost;

/// <summary>The names of the settings that exist.</summary>
internal static class SettingNames
{
    /// <summary>Each of the app's sections, and the class that it is bound to.</summary>
    internal static readonly IReadOnlyDictionary<string, Type> Sections = new Dictionary<string, Type>(StringComparer.OrdinalIgnoreCase)
    {
        [BasiqOptions.Section] = typeof(BasiqOptions),
        [KeyVaultOptions.Section] = typeof(KeyVaultOptions),
        [HttpOptions.Section] = typeof(HttpOptions),
        [ConsentOptions.Section] = typeof(ConsentOptions),
        [SyncOptions.Section] = typeof(SyncOptions),
        [SnapshotOptions.SectionName] = typeof(SnapshotOptions),
        [IdempotencyOptions.Section] = typeof(IdempotencyOptions),
        [WebhookOptions.Section] = typeof(WebhookOptions),
        [ReceiptOptions.Section] = typeof(ReceiptOptions),
        [RemovalOptions.Section] = typeof(RemovalOptions),
        [DueOptions.Section] = typeof(DueOptions),
        [LocalHostOptions.Section] = typeof(LocalHostOptions),
        [SandboxOptions.SectionName] = typeof(SandboxOptions),
    };

    /// <summary>What belongs to the framework, the storage or the telemetry: any name below these is theirs.</summary>
    private static readonly string[] Others =
        ["AzureWebJobsStorage", "Logging", "Kestrel", "environment", "contentRoot", "applicationName", "APPLICATIONINSIGHTS_CONNECTION_STRING"];

    /// <summary>Null for the name of a setting; for any other name a hint, with a space before it, at what may be meant. It may be empty.</summary>
    public static string? Unknown(string name)
    {
        var parts = name.Split(':');
        if (Others.Contains(parts[0], StringComparer.OrdinalIgnoreCase) || name.StartsWith("OTEL_", StringComparison.OrdinalIgnoreCase))
            return null;
        if (parts.Length == 1)
            return Nearest.Hint($"--{name}", ["--urls", "--sandbox-url", "--data", "--open", "--login", "--help", "--version", .. Others.Select(other => $"--{other}")]);
        if (!Sections.TryGetValue(parts[0], out var options))
            return Nearest.Hint(parts[0], Sections.Keys);
        var names = options.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite).Select(property => property.Name)
            .Concat(options == typeof(SandboxOptions) ? ["Url"] : []).ToArray();
        return names.Contains(parts[1], StringComparer.OrdinalIgnoreCase) ? null : Nearest.Hint(name, names.Select(other => $"{parts[0]}:{other}"));
    }
}
