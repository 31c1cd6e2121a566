using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace BasiqFunctions.Platform.Http;

/// <summary>Finds everything that is wrong with a body that could not be read, and reads what is left without it.</summary>
internal sealed class JsonRefusals
{
    private static readonly JsonDocumentOptions Document = new() { MaxDepth = JsonBody.MaxDepth };

    private readonly bool _refusesNull;
    private readonly FieldErrors _errors;
    private readonly Utf8JsonWriter _kept;

    private JsonRefusals(bool refusesNull, FieldErrors errors, Utf8JsonWriter kept) => (_refusesNull, _errors, _kept) = (refusesNull, errors, kept);

    /// <summary>The object without the properties that are wrong, each of which is noted.</summary>
    /// <exception cref="ProblemException">400: it is no object, or cannot be read in spite of that.</exception>
    public static T ReadWithout<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, bool refusesNull, FieldErrors errors)
        where T : class
    {
        JsonElement body;
        try
        {
            body = JsonElement.Parse(json, Document);
        }
        catch (JsonException e)
        {
            throw JsonBody.Malformed(json, e);
        }

        if (body.ValueKind is not JsonValueKind.Object)
            throw JsonBody.Refusal("body", "must be a JSON object.");
        var kept = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(kept))
            new JsonRefusals(refusesNull, errors, writer).Copy(body, type, "");
        try
        {
            return JsonSerializer.Deserialize(kept.WrittenSpan, type)!;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            errors.Add((e as JsonException)?.Path is ['$', '.', .. { Length: > 0 } path] ? JsonBody.Shorten(path) : "body", "has a missing value or one of the wrong type.");
            throw new ProblemException(Problem.InvalidInput(errors));
        }
    }

    private void Copy(JsonElement value, JsonTypeInfo? type, string path)
    {
        if (value.ValueKind is JsonValueKind.Object && type is { Kind: JsonTypeInfoKind.Object })
        {
            CopyObject(value, type, path);
        }
        else if (value.ValueKind is JsonValueKind.Array && type is { Kind: JsonTypeInfoKind.Enumerable, ElementType: { } element })
        {
            _kept.WriteStartArray();
            foreach (var (index, item) in value.EnumerateArray().Index())
            {
                var field = string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]");
                if (Wrong(item, type.Options.GetTypeInfo(element)) is { } wrong)
                    _errors.Add(field, wrong);
                else
                    Copy(item, type.Options.GetTypeInfo(element), field);
            }

            _kept.WriteEndArray();
        }
        else
        {
            value.WriteTo(_kept);
        }
    }

    private void CopyObject(JsonElement value, JsonTypeInfo type, string path)
    {
        _kept.WriteStartObject();
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (var property in value.EnumerateObject())
        {
            if (NameOf(property) is not { } name)
            {
                const string NoText = "has a property name that is not valid Unicode.";
                if (path.Length == 0)
                    throw JsonBody.Refusal("body", NoText);
                _errors.Add(path, NoText);
                continue;
            }

            var field = path.Length == 0 ? JsonBody.Shorten(name) : $"{path}.{JsonBody.Shorten(name)}";
            var known = type.Properties.FirstOrDefault(candidate => candidate.Name == name)?.PropertyType;
            if (known is null)
                _errors.Add(field, "is not a field of this request.");
            if (!seen.Add(name))
                _errors.Add(field, "is given twice.");
            else if (known is not null && Wrong(property.Value, type.Options.GetTypeInfo(known)) is { } wrong)
                _errors.Add(field, wrong);
            else if (known is not null)
            {
                _kept.WritePropertyName(name);
                Copy(property.Value, type.Options.GetTypeInfo(known), field);
            }
        }

        _kept.WriteEndObject();
    }

    /// <summary>What is wrong with a value as such; null where nothing is, or what reads it will say so.</summary>
    private string? Wrong(JsonElement value, JsonTypeInfo type) => value.ValueKind switch
    {
        JsonValueKind.Null => _refusesNull ? "cannot be null: Basiq changes fields and does not clear them. Leave it out to keep it." : null,
        not JsonValueKind.String when type.Type == typeof(string) => "must be a string.",
        JsonValueKind.String when type.Type == typeof(string) && !IsText(value) => "is not valid Unicode.",
        not (JsonValueKind.True or JsonValueKind.False) when type.Type == typeof(bool?) || type.Type == typeof(bool) => "must be true or false.",
        not JsonValueKind.Object when type.Kind is JsonTypeInfoKind.Object => "must be an object.",
        not JsonValueKind.Array when type.Kind is JsonTypeInfoKind.Enumerable => "must be a list.",
        _ => null,
    };

    private static string? NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static bool IsText(JsonElement value)
    {
        try
        {
            return value.GetString() is not null;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
