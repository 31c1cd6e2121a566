using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace BasiqFunctions.Platform.Http;

/// <summary>
/// Reads a request's JSON body, strictly: what it refuses, it refuses with an answer that says where, and never quotes a value.
/// </summary>
internal static class JsonBody
{
    /// <summary>The largest body, in bytes. None of the app's needs a tenth of it.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>How deep objects and arrays may stand in each other.</summary>
    public const int MaxDepth = 16;

    /// <summary>What is wrong with an object that has a name with half a character in it.</summary>
    public const string NameIsNoText = "has a property name that is not valid Unicode.";

    /// <summary>What is wrong with a property that comes a second time.</summary>
    public const string GivenTwice = "is given twice.";

    private const int MaxNameLength = 64;

    /// <summary>Makes something of a body that is UTF-8.</summary>
    /// <exception cref="JsonException">It is not well-formed.</exception>
    public delegate JsonBodyResult<T> Reading<T>(ReadOnlySpan<byte> json)
        where T : class;

    /// <summary>
    /// Reads an object. 415 for another content type, 413 for more than 64 KiB (without reading on), 400 for malformed JSON, for
    /// a property that is unknown or given twice, and for a value of the wrong type.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="type">The object's type, from a source-generated context.</param>
    /// <param name="optional">Whether no body at all is taken as <c>{}</c>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static Task<JsonBodyResult<T>> ReadAsync<T>(
        HttpRequest request, JsonTypeInfo<T> type, bool optional, CancellationToken cancellationToken)
        where T : class => ReadAsync(request, json => Read(json, type), optional, cancellationToken);

    /// <summary>The same for whoever reads the object on their own.</summary>
    public static async Task<JsonBodyResult<T>> ReadAsync<T>(
        HttpRequest request, Reading<T> read, bool optional, CancellationToken cancellationToken)
        where T : class
    {
        if (request.ContentLength > MaxBytes)
            return Refuse<T>(TooLarge());
        var buffer = ArrayPool<byte>.Shared.Rent(MaxBytes + 1);
        var length = MaxBytes + 1;
        try
        {
            length = await BodyDeadline.RunAsync(request, token => FillAsync(request, buffer.AsMemory(0, MaxBytes + 1), token), cancellationToken);
            if (length > MaxBytes)
                return Refuse<T>(TooLarge());
            if (length == 0 && optional)
                return read("{}"u8);
            if (!IsJson(request))
                return Refuse<T>(new ProblemResult(
                    StatusCodes.Status415UnsupportedMediaType, "unsupported-media-type", "The body must be application/json, in UTF-8, not compressed."));
            if (length == 0)
                return Refuse<T>(Problem.InvalidInput("body", "is missing."));
            return Parse(buffer.AsSpan(0, length), read);
        }
        finally
        {
            // What was personal in it goes; the rest was never written.
            buffer.AsSpan(0, length).Clear();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads a body of at most <see cref="MaxBytes"/> as it is, for whoever must see every byte of it.</summary>
    /// <exception cref="ProblemException">413, or 408 for one that comes too slowly.</exception>
    public static async Task<byte[]> ReadRawAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > MaxBytes)
            throw new ProblemException(TooLarge());
        var buffer = ArrayPool<byte>.Shared.Rent(MaxBytes + 1);
        try
        {
            var length = await BodyDeadline.RunAsync(request, token => FillAsync(request, buffer.AsMemory(0, MaxBytes + 1), token), cancellationToken);
            return length <= MaxBytes ? buffer[..length] : throw new ProblemException(TooLarge());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    private static async Task<int> FillAsync(HttpRequest request, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var length = 0;
        int read;
        try
        {
            while (length < buffer.Length
                && length != request.ContentLength
                && (read = await request.Body.ReadAsync(buffer[length..], cancellationToken)) > 0)
                length += read;
            return length;
        }
        catch (IOException e) when (e is not BadHttpRequestException)
        {
            // The caller's doing: it hung up, or framed its body in a way that no server can follow, which servers do not all call a bad request.
            throw new ProblemException(Problem.InvalidInput("body", "ended before it was complete."));
        }
    }

    /// <summary>
    /// A name from the caller, fit to be named in an answer: a value in the place of a name is masked if it may be personal.
    /// </summary>
    internal static string Shorten(string name)
    {
        if (name.Length <= MaxNameLength && Ascii.IsValid(name) && name.All(char.IsAsciiLetter))
            return name;

        // Cut twice: masking takes long over long texts, and an e-mail address that is cut in the middle looks like none.
        name = DetailRedaction.Mask(Cut(name, 4 * MaxNameLength));
        return name.Length <= MaxNameLength ? name : Cut(name, MaxNameLength) + "…";
    }

    /// <summary>Cuts between characters, never through a surrogate pair.</summary>
    private static string Cut(string text, int length) =>
        text.Length <= length ? text : text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];

    private static JsonBodyResult<T> Parse<T>(ReadOnlySpan<byte> json, Reading<T> read)
        where T : class
    {
        if (json.StartsWith("\uFEFF"u8))
            json = json[3..];
        if (!Utf8.IsValid(json))
            return Refuse<T>(Problem.InvalidInput("body", "is not UTF-8."));
        try
        {
            return read(json);
        }
        catch (JsonException e)
        {
            return Refuse<T>(Problem.InvalidInput(
                "body", string.Create(CultureInfo.InvariantCulture, $"is not well-formed JSON of at most {MaxDepth} levels: it breaks at byte {Position(json, e)}.")));
        }
    }

    private static JsonBodyResult<T> Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        var errors = new FieldErrors();
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                return Refuse<T>(NoObject());
            CheckObject(ref reader, type, "", errors);
            // Throws when anything but white space follows.
            reader.Read();
        }
        catch (InvalidOperationException)
        {
            return Refuse<T>(Problem.InvalidInput("body", NameIsNoText));
        }
        if (errors.Count > 0)
            return Refuse<T>(Problem.InvalidInput(errors));
        try
        {
            return JsonSerializer.Deserialize(json, type) is { } value ? new JsonBodyResult<T>(value, null) : Refuse<T>(NoObject());
        }
        catch (JsonException e)
        {
            var path = e.Path is { Length: > 2 } p && p.StartsWith("$.", StringComparison.Ordinal) ? p[2..] : "body";
            return Refuse<T>(Problem.InvalidInput(Shorten(path), "has a missing value or one of the wrong type."));
        }
    }

    /// <summary>Names every property that the type does not have or that comes twice, at every level.</summary>
    private static void CheckObject(ref Utf8JsonReader reader, JsonTypeInfo? type, string path, FieldErrors errors)
    {
        var isKnownShape = type is { Kind: JsonTypeInfoKind.Object };
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            var field = path + Shorten(name);
            JsonPropertyInfo? property = null;
            if (isKnownShape)
            {
                foreach (var candidate in type!.Properties)
                {
                    if (candidate.Name == name && !candidate.IsExtensionData)
                        property = candidate;
                }
                if (property is null)
                    errors.Add(field, "is not a known property.");
            }
            if (!seen.Add(name))
                errors.Add(field, GivenTwice);
            reader.Read();
            CheckValue(ref reader, property is null ? null : type!.Options.GetTypeInfo(property.PropertyType), field, errors);
        }
    }

    private static void CheckValue(ref Utf8JsonReader reader, JsonTypeInfo? type, string field, FieldErrors errors)
    {
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            CheckObject(ref reader, type, field + ".", errors);
        }
        else if (reader.TokenType == JsonTokenType.StartArray)
        {
            var element = type is { Kind: JsonTypeInfoKind.Enumerable, ElementType: { } elementType } ? type.Options.GetTypeInfo(elementType) : null;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                CheckValue(ref reader, element, field + "[]", errors);
        }
    }

    private static long Position(ReadOnlySpan<byte> json, JsonException e)
    {
        long at = 0;
        for (var line = e.LineNumber ?? 0; line > 0; line--)
        {
            var end = json[(int)at..].IndexOf((byte)'\n');
            if (end < 0)
                break;
            at += end + 1;
        }
        return at + (e.BytePositionInLine ?? 0);
    }

    private static bool IsJson(HttpRequest request) =>
        (request.ContentType is "application/json" || IsKindOfJson(request))
        && request.Headers.ContentEncoding.Count == 0;

    private static bool IsKindOfJson(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (type.Type.Equals("application", StringComparison.OrdinalIgnoreCase) && type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase)))
        && (!type.Charset.HasValue || type.Encoding is UTF8Encoding);

    /// <summary>400: some other value stands in the place of the object.</summary>
    public static ProblemResult NoObject() => Problem.InvalidInput("body", "must be a JSON object.");

    private static ProblemResult TooLarge() =>
        new(StatusCodes.Status413PayloadTooLarge, "body-too-large", string.Create(CultureInfo.InvariantCulture, $"The body must be at most {MaxBytes} bytes."));

    private static JsonBodyResult<T> Refuse<T>(ProblemResult problem)
        where T : class => new(null, problem);
}

/// <summary>A body that was read, or the answer that refuses it.</summary>
internal readonly record struct JsonBodyResult<T>(T? Value, ProblemResult? Refusal)
    where T : class
{
    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Refusal))]
    public bool IsRead => Refusal is null;
}
