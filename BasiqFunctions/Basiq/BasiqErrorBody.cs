using System.Text.Json;

namespace BasiqFunctions.Basiq;

/// <summary>Basiq's error body: <c>{ type, correlationId, data: [ { code, title, detail, source } ] }</c>.</summary>
internal sealed record BasiqErrorBody(string Code, string? Title, string? Detail, string? CorrelationId)
{
    private const int MaxText = 500;

    public IReadOnlyList<BasiqErrorSource> Sources { get; init; } = [];

    /// <summary>Reads what can be read; null when it is not an error body of Basiq's.</summary>
    internal static BasiqErrorBody? Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind is not JsonValueKind.Object
                || !root.TryGetProperty("data", out var data)
                || data.ValueKind is not JsonValueKind.Array
                || data.GetArrayLength() == 0
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

    /// <summary>A code or an id: short and of harmless characters, since it may be logged.</summary>
    private static string? Token(string? text) =>
        text is { Length: > 0 and <= 100 } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':')
            ? text
            : null;

    private static string? Masked(string? text) =>
        text is null ? null : DetailRedaction.Mask(text.Length > MaxText ? text[..MaxText] : text);
}
