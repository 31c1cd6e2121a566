using System.Text.Json;
using BasiqFunctions.Platform.Telemetry;

namespace BasiqFunctions.Basiq.Models;

/// <summary>Basiq's error body: <c>{ type, correlationId, data: [ { type, code, title, detail, source } ] }</c>.</summary>
internal sealed record BasiqErrorBody(string Code, string? Title, string? Detail, string? CorrelationId)
{
    private const int MaxText = 500;

    public IReadOnlyList<BasiqErrorSource> Sources { get; init; } = [];

    /// <summary>
    /// Reads it; null when it is not well-formed: a list of errors, each with a code, by Basiq's names for them. What a gateway or another
    /// server writes is none, and is not taken for Basiq's word. Errors of events, webhooks and reports need not have a type; the correlation id then
    /// says whose they are.
    /// </summary>
    internal static BasiqErrorBody? Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.Text("type") is not "list"
                || !root.TryGetProperty("data", out var data)
                || data.ValueKind is not JsonValueKind.Array
                || data.GetArrayLength() == 0
                || (data[0].Text("type") ?? (root.Text("correlationId") is null ? null : "error")) is not "error"
                || Token(data[0].Text("code")) is not { } code)
                return null;

            return new(code, Masked(data[0].Text("title")), Masked(data[0].Text("detail")), Token(root.Text("correlationId")))
            {
                Sources =
                [
                    .. data.EnumerateArray().Select(error => new BasiqErrorSource(
                        Token(error.Text("code")) ?? code,
                        Masked(error.Text("source", "parameter")),
                        Masked(error.Text("source", "pointer")),
                        Masked(error.Text("detail")))),
                ],
            };
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether its first error says all of this, in whichever of its texts, letters' case and hyphens apart.</summary>
    internal bool Says(params ReadOnlySpan<string> words)
    {
        var text = $"{Code}\n{Title}\n{Detail}".Replace('-', ' ');
        foreach (var word in words)
        {
            if (!text.Contains(word, StringComparison.OrdinalIgnoreCase))
                return false;
        }

        return true;
    }

    /// <summary>A code or an id: short and of harmless characters, since it may be logged.</summary>
    private static string? Token(string? text) =>
        text is { Length: > 0 and <= 100 } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':')
            ? text
            : null;

    private static string? Masked(string? text) =>
        text is null ? null : DetailRedaction.Mask(text.Length > MaxText ? text[..MaxText] : text);
}

/// <summary>One entry of Basiq's error list: which field or parameter is meant, and what is wrong with it.</summary>
/// <param name="Code">Basiq's code, such as <c>parameter-not-valid</c>.</param>
/// <param name="Parameter">The query parameter or field, if Basiq named it.</param>
/// <param name="BodyPath">Basiq's <c>pointer</c>: the path into the request body, if Basiq named it.</param>
/// <param name="Detail">Basiq's explanation, masked as <see cref="BasiqFailure.Detail"/> is.</param>
public sealed record BasiqErrorSource(string Code, string? Parameter, string? BodyPath, string? Detail)
{
    /// <summary>The code alone: the rest is Basiq's free text.</summary>
    public override string ToString() => Code;
}
