using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace BasiqFunctions.Basiq.Models;

/// <summary>Reads fields of a resource that is kept as it was received.</summary>
internal static class JsonElementReading
{
    /// <summary>The text at a path, a number's digits as they were sent, or null for anything else.</summary>
    internal static string? Text(this JsonElement json, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            if (json.ValueKind is not JsonValueKind.Object || !json.TryGetProperty(name, out json))
                return null;
        }

        return json.ValueKind switch
        {
            JsonValueKind.String => Decoded(json),
            JsonValueKind.Number => json.GetRawText(),
            _ => null,
        };
    }

    /// <summary>The text, or its raw spelling where an escape in it stands for no character.</summary>
    private static string? Decoded(JsonElement json)
    {
        try
        {
            return json.GetString();
        }
        catch (InvalidOperationException)
        {
            return Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(json)[1..^1]);
        }
    }

    /// <summary>The same of a text that a reader has come to.</summary>
    internal static string Decoded(this ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Encoding.UTF8.GetString(reader.ValueSpan);
        }
    }

    /// <summary>A field without which the resource is of no use.</summary>
    internal static string RequiredText(this JsonElement json, string name) =>
        json.Text(name) is { Length: > 0 } text ? text : throw new JsonException($"A resource without '{name}'.");
}

/// <summary>Moments as Basiq writes them: ISO 8601, of UTC where nothing else is said.</summary>
internal static class BasiqTime
{
    /// <summary>The moment; null for a text that is none, that is missing, or that says "none" by a date in the year 1.</summary>
    internal static DateTimeOffset? Of(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) && moment.UtcDateTime.Year > 1
            ? moment
            : null;
}
