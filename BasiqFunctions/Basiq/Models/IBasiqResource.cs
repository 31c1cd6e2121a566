using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>
/// A resource that is kept exactly as Basiq sent it: what this app knows is read from <see cref="Json"/>, and what it does not
/// know survives, explicit nulls and order included.
/// </summary>
/// <typeparam name="TSelf">The resource.</typeparam>
public interface IBasiqResource<out TSelf>
    where TSelf : IBasiqResource<TSelf>
{
    /// <summary>The resource as received.</summary>
    JsonElement Json { get; }

    /// <summary>Takes a JSON object with an <c>id</c>.</summary>
    /// <exception cref="JsonException">It is not an object, or has no <c>id</c>.</exception>
    static abstract TSelf From(JsonElement json);
}

/// <summary>Reads and writes a resource as the JSON that Basiq sent, whatever the serializer's options are.</summary>
internal sealed class BasiqResourceConverter<TResource> : JsonConverter<TResource>
    where TResource : IBasiqResource<TResource>
{
    public override TResource Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        TResource.From(JsonElement.ParseValue(ref reader));

    // Byte for byte: writing it anew would fail over an escape that stands for half a character.
    public override void Write(Utf8JsonWriter writer, TResource value, JsonSerializerOptions options) =>
        writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value.Json), skipInputValidation: true);
}

/// <summary>Basiq's envelope of a list.</summary>
internal sealed record BasiqList<TItem>
{
    /// <summary>The items. A list without them does not say that there are none.</summary>
    public IReadOnlyList<TItem?>? Data { get; init; }
}
