using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using BasiqFunctions.Platform.Telemetry;
using FluentValidation;
using FluentValidation.Results;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace BasiqFunctions.Platform.Http;

/// <summary>
/// Reads a request's JSON body, strictly (<see cref="JsonSerializerOptions.Strict"/>): what it refuses, it refuses with an answer that names each
/// field that is wrong, and never quotes a value.
/// </summary>
internal static class JsonBody
{
    /// <summary>The largest body, in bytes. None of the app's needs a tenth of it.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>How deep objects and arrays may stand in each other.</summary>
    public const int MaxDepth = AppJson.MaxDepthOfRequests;

    private const int MaxNameLength = 64;

    /// <summary>
    /// Reads an object and validates it. 415 for another content type, 413 for more than 64 KiB (without reading on), 400 for malformed JSON
    /// and, each by its field, for a property that is unknown or given twice, a value of the wrong type, and what the validator refuses.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="validator">What the object must be; null for whatever can be read.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <param name="optional">Whether no body at all is taken as <c>{}</c>.</param>
    /// <param name="refusesNull">Whether a null is refused; otherwise it says the same as leaving the property out.</param>
    /// <param name="type">How the object is read; as <see cref="AppJson"/> has it without.</param>
    /// <exception cref="ProblemException">As said above, or 408 for a body that comes too slowly.</exception>
    public static async Task<T> ReadAsync<T>(
        HttpRequest request,
        IValidator<T>? validator,
        CancellationToken cancellation,
        bool optional = false,
        bool refusesNull = false,
        JsonTypeInfo<T>? type = null)
        where T : class
    {
        if (request.ContentLength > MaxBytes)
            throw TooLarge();
        var buffer = ArrayPool<byte>.Shared.Rent(MaxBytes + 1);
        var length = MaxBytes + 1;
        try
        {
            length = await BodyDeadline.RunAsync(request, token => FillAsync(request, buffer.AsMemory(0, MaxBytes + 1), token), cancellation);
            if (length > MaxBytes)
                throw TooLarge();
            var isAbsent = length == 0 && optional;
            if (!isAbsent && !IsJson(request))
            {
                throw new ProblemException(new(
                    StatusCodes.Status415UnsupportedMediaType, ProblemCodes.UnsupportedMediaType, "The body must be application/json, in UTF-8, not compressed."));
            }

            if (!isAbsent && length == 0)
                throw Refusal("body", "is missing.");
            return Read(isAbsent ? "{}"u8 : buffer.AsSpan(0, length), type ?? AppJson.OfRequest<T>(), validator, refusesNull);
        }
        finally
        {
            // What was personal in it goes; the rest was never written.
            buffer.AsSpan(0, length).Clear();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads a body of at most <see cref="MaxBytes"/> as it is, for callers that need every byte.</summary>
    /// <exception cref="ProblemException">413, or 408 for one that comes too slowly.</exception>
    public static async Task<byte[]> ReadRawAsync(HttpRequest request, CancellationToken cancellation)
    {
        if (request.ContentLength > MaxBytes)
            throw TooLarge();
        var buffer = ArrayPool<byte>.Shared.Rent(MaxBytes + 1);
        try
        {
            var length = await BodyDeadline.RunAsync(request, token => FillAsync(request, buffer.AsMemory(0, MaxBytes + 1), token), cancellation);
            return length <= MaxBytes ? buffer[..length] : throw TooLarge();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    private static async Task<int> FillAsync(HttpRequest request, Memory<byte> buffer, CancellationToken cancellation)
    {
        var length = 0;
        int read;
        try
        {
            while (length < buffer.Length
                && length != request.ContentLength
                && (read = await request.Body.ReadAsync(buffer[length..], cancellation)) > 0)
                length += read;
            return length;
        }
        catch (IOException e) when (e is not BadHttpRequestException)
        {
            // The caller's doing: it hung up, or framed its body in a way that no server can follow, which servers do not all call a bad request.
            throw Refusal("body", "ended before it was complete.");
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

    private static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type, IValidator<T>? validator, bool refusesNull)
        where T : class
    {
        if (json.StartsWith("\uFEFF"u8))
            json = json[3..];
        if (!Utf8.IsValid(json))
            throw Refusal("body", "is not UTF-8.");
        var errors = new FieldErrors();
        var value = (refusesNull ? null : TryRead(json, type)) ?? JsonRefusals.ReadWithout(json, type, refusesNull, errors);
        Validate(value, validator, errors);
        return errors.Count == 0 ? value : throw new ProblemException(Problem.InvalidInput(errors));
    }

    private static T? TryRead<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // It says one thing of what is wrong; the caller is told all.
            return null;
        }
    }

    private static void Validate<T>(T value, IValidator<T>? validator, FieldErrors errors)
    {
        if (validator?.Validate(value) is not { IsValid: false } validation)
            return;
        var refused = errors.Fields.Keys.ToHashSet(StringComparer.Ordinal);
        foreach (var failure in validation.Errors)
        {
            // A field that could not be read was read as absent: what follows from that is no news.
            var field = JsonNameOf(failure);
            if (refused.Count == 0 || (field is not "body" && !refused.Contains(field)))
                errors.Add(field, failure.ErrorMessage);
        }
    }

    /// <summary><c>BusinessAddress.Postcode</c> as JSON spells it.</summary>
    private static string JsonNameOf(ValidationFailure failure) =>
        string.Join('.', failure.PropertyName.Split('.').Select(JsonNamingPolicy.CamelCase.ConvertName));

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

    /// <summary>400 for one field.</summary>
    internal static ProblemException Refusal(string field, string message) => new(Problem.InvalidInput(field, message));

    /// <summary>400 for what is not JSON.</summary>
    internal static ProblemException Malformed(ReadOnlySpan<byte> json, JsonException exception) => Refusal(
        "body",
        string.Create(CultureInfo.InvariantCulture, $"is not well-formed JSON of at most {MaxDepth} levels: it breaks at byte {Position(json, exception)}."));

    private static ProblemException TooLarge() => new(new(
        StatusCodes.Status413PayloadTooLarge, ProblemCodes.BodyTooLarge, string.Create(CultureInfo.InvariantCulture, $"The body must be at most {MaxBytes} bytes.")));
}
