using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

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
