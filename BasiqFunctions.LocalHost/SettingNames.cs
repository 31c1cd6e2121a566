using BasiqFunctions.Platform;
using BasiqFunctions.Sandbox;

namespace BasiqFunctions.LocalHost;

/// <summary>The names of the settings that exist.</summary>
internal static class SettingNames
{
    /// <summary>The app's sections, this host's and the sandbox's, and the class that each is bound to.</summary>
    internal static readonly IReadOnlyDictionary<string, Type> Sections = new Dictionary<string, Type>(BasiqFunctionsRegistration.Sections, StringComparer.OrdinalIgnoreCase)
    {
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
        var names = NamesIn(options).ToArray();
        return names.Contains(parts[1], StringComparer.OrdinalIgnoreCase) ? null : Nearest.Hint(name, names.Select(other => $"{parts[0]}:{other}"));
    }

    /// <summary>The settings of our sections that do not exist, each with the hint of <see cref="Unknown"/>.</summary>
    public static IEnumerable<(string Name, string Hint)> UnknownIn(IConfiguration configuration) =>
        from section in Sections.Keys
        from setting in configuration.GetSection(section).GetChildren()
        let name = $"{section}:{setting.Key}"
        let hint = Unknown(name)
        where hint is not null
        select (name, hint);

    private static IEnumerable<string> NamesIn(Type options) =>
        Settings.Of(options).Select(property => property.Name).Concat(options == typeof(SandboxOptions) ? ["Url"] : []);
}
