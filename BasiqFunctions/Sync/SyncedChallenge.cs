using System.Text.Json;
using System.Text.Json.Serialization;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Sync;

/// <summary>What a bank asks a person who connects it, as Basiq words it (Basiq, API reference: Jobs, <c>mfa-challenge</c>).</summary>
/// <param name="Type">Always <c>mfa</c>.</param>
/// <param name="Method">How it is answered, such as <c>token</c> for a code.</param>
/// <param name="Description">What is to be done.</param>
/// <param name="Input">What is to be answered, one text for each answer.</param>
/// <param name="ExpiryMs">How long the bank waits, in milliseconds from when it asked.</param>
/// <param name="Links">Where the answer goes.</param>
public sealed record SyncedChallenge(
    [property: JsonPropertyName("type")] string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("method")] string? Method,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("description")] string? Description,
    [property: JsonPropertyName("input")] IReadOnlyList<string> Input,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("expiryMs")] long? ExpiryMs,
    [property: JsonPropertyName("links")] ChallengeLinks Links)
{
    /// <summary>The challenge of a step that waits for an answer; Basiq's own link is replaced by ours.</summary>
    public static SyncedChallenge From(JobStepResult result, string responseUrl)
    {
        ArgumentNullException.ThrowIfNull(result);
        var asked = result.Json;
        return new SyncedChallenge(
            "mfa",
            Text("method"),
            Text("description"),
            Has("input", JsonValueKind.Array, out var input)
                ? [.. input.EnumerateArray().Where(i => i.ValueKind is JsonValueKind.String).Select(i => i.GetString()!)]
                : [],
            Has("expiryMs", JsonValueKind.Number, out var expiry) && expiry.TryGetInt64(out var wait) ? wait : null,
            new ChallengeLinks(responseUrl));

        string? Text(string name) => Has(name, JsonValueKind.String, out var value) ? value.GetString() : null;

        bool Has(string name, JsonValueKind kind, out JsonElement value)
        {
            value = default;
            return asked.ValueKind is JsonValueKind.Object && asked.TryGetProperty(name, out value) && value.ValueKind == kind;
        }
    }

    /// <summary>The method alone: the rest is about a person.</summary>
    public override string ToString() => $"{nameof(SyncedChallenge)} {Method}";
}
