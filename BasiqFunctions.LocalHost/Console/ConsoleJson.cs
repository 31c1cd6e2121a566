using System.Text.Json.Serialization;

namespace BasiqFunctions.LocalHost.Console;

/// <summary>The JSON of the console's own endpoints, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    AllowDuplicateProperties = false,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ConsoleNotifications))]
[JsonSerializable(typeof(ConsoleStatus))]
[JsonSerializable(typeof(ConsoleWebhooks))]
[JsonSerializable(typeof(SandboxKnobs))]
[JsonSerializable(typeof(string))]
internal sealed partial class ConsoleJson : JsonSerializerContext;
