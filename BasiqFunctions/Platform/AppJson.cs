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

    private static JsonSerializerContext? _context;

    /// <summary>Takes the context.</summary>
    public static void Use(JsonSerializerContext context)
    {
        _context = context;
        Requests.TypeInfoResolver = context;
    }

    /// <summary>How a request is read: strictly, with names in camel case, and every property may be left out.</summary>
    public static JsonTypeInfo<T> OfRequest<T>() => (JsonTypeInfo<T>)Requests.GetTypeInfo(typeof(T));

    /// <summary>How a type is read and written.</summary>
    /// <exception cref="NotSupportedException">The context lacks the type.</exception>
    public static JsonTypeInfo<T> Of<T>() =>
        (JsonTypeInfo<T>)(_context?.GetTypeInfo(typeof(T)) ?? throw new NotSupportedException($"AppJsonContext lacks [JsonSerializable(typeof({typeof(T)}))]."));
}
