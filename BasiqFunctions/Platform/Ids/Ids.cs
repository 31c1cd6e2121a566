using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Platform.Ids;

/// <summary>
/// The id of something: a text that is never taken for the id of something else. Reading one as text harms nothing and needs no word; making one
/// of a text does, since that says what it is the id of.
/// </summary>
public abstract record Id(string Value)
{
    /// <summary>The text.</summary>
    public sealed override string ToString() => Value;

    /// <summary>The text.</summary>
    [return: NotNullIfNotNull(nameof(id))]
    public static implicit operator string?(Id? id) => id?.Value;
}

/// <summary>A person's id at Basiq.</summary>
[JsonConverter(typeof(UserId.Json))]
public sealed record UserId(string Value) : Id(Value)
{
    internal sealed class Json() : IdJson<UserId>(value => new(value));
}

/// <summary>The id at Basiq of a person's link to a bank.</summary>
[JsonConverter(typeof(ConnectionId.Json))]
public sealed record ConnectionId(string Value) : Id(Value)
{
    internal sealed class Json() : IdJson<ConnectionId>(value => new(value));
}

/// <summary>A bank account's id at Basiq.</summary>
[JsonConverter(typeof(AccountId.Json))]
public sealed record AccountId(string Value) : Id(Value)
{
    internal sealed class Json() : IdJson<AccountId>(value => new(value));
}

/// <summary>The id of a sync, which a caller knows it by: that of its orchestration.</summary>
[JsonConverter(typeof(SyncId.Json))]
public sealed record SyncId(string Value) : Id(Value)
{
    internal sealed class Json() : IdJson<SyncId>(value => new(value));
}

/// <summary>The id of one run of a sync, or of a removal: under it lies what that has written.</summary>
[JsonConverter(typeof(RunId.Json))]
public sealed record RunId(string Value) : Id(Value)
{
    internal sealed class Json() : IdJson<RunId>(value => new(value));
}

/// <summary>In JSON an id is its text, as a key as well.</summary>
internal abstract class IdJson<TId>(Func<string, TId> of) : JsonConverter<TId>
    where TId : Id
{
    public override TId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => of(reader.GetString()!);

    public override void Write(Utf8JsonWriter writer, TId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);

    public override TId ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => of(reader.GetString()!);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, TId value, JsonSerializerOptions options) => writer.WritePropertyName(value.Value);
}
