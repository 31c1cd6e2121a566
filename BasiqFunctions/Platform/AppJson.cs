using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace BasiqFunctions.Platform;

/// <summary>
/// The JSON of what callers are answered, of what they send, and of what is kept in tables: one context, generated at build time. It stands in the
/// root (<c>AppJsonContext</c>), since it knows the types of every folder, and is handed over before any code of the app runs.
/// </summary>
internal static class AppJson
{
    /// <summary>How deep objects and arrays may stand in each other in a request.</summary>
    internal const int MaxDepthOfRequests = 16;

    private static readonly JsonSerializerOptions Requests = new(JsonSerializerOptions.Strict)
    {
        MaxDepth = MaxDepthOfRequests,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        RespectRequiredConstructorParameters = false,
    };

    /// <summary>Nothing of these is ever put into a page as it is: addresses and secrets stay readable, so that they can be copied.</summary>
    private static readonly JsonSerializerOptions Answers = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
    };

    private static JsonSerializerContext? _context;

    /// <summary>Takes the context.</summary>
    public static void Use(JsonSerializerContext context)
    {
        _context = context;
        Requests.TypeInfoResolver = Answers.TypeInfoResolver = context;
    }

    /// <summary>How an answer is written.</summary>
    public static JsonTypeInfo<T> OfAnswer<T>() => (JsonTypeInfo<T>)Answers.GetTypeInfo(typeof(T));

    /// <summary>How a request is read: strictly, with names in camel case, and every property may be left out.</summary>
    public static JsonTypeInfo<T> OfRequest<T>() => (JsonTypeInfo<T>)Requests.GetTypeInfo(typeof(T));

    /// <summary>How a type is read and written.</summary>
    /// <exception cref="NotSupportedException">The context lacks the type.</exception>
    public static JsonTypeInfo<T> Of<T>() =>
        (JsonTypeInfo<T>)(_context?.GetTypeInfo(typeof(T)) ?? throw new NotSupportedException($"AppJsonContext lacks [JsonSerializable(typeof({typeof(T)}))]."));
}
