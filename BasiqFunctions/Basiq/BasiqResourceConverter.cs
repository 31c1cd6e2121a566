using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq;

/// <summary>Reads and writes a resource as the JSON that Basiq sent, whatever the serializer's options are.</summary>
internal sealed class BasiqResourceConverter<TResource> : JsonConverter<TResource>
    where TResource : IBasiqResource<TResource>
{
    public override TResource Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        TResource.From(JsonElement.ParseValue(ref reader));

    public override void Write(Utf8JsonWriter writer, TResource value, JsonSerializerOptions options) => value.Json.WriteTo(writer);
}
