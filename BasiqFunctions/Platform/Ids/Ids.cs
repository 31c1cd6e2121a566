using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Platform.Ids;

/// <summary>
/// An id that cannot be passed where another kind of id belongs. It converts to text by itself; text becomes an id only by a constructor, which
/// says of what.
/// </summary>
public abstract record Id(string Value)
{
    /// <summary>The text.</summary>
    public sealed override string ToString() => Value;

    /// <summary>The text.</summary>
    [return: NotNullIfNotNull(nameof(id))]
    public static implicit operator string?(Id? id) => id?.Value;
}

/// <summary>A user's id at Basiq.</summary>
[JsonConverter(typeof(UserId.Json))]
public sealed record UserId(string Value) : Id(Value)
{
    internal sealed class Json() : IdJson<UserId>(value => new(value));
}

/// <summary>A connection's id at Basiq.</summary>
[JsonConverter(typeof(ConnectionId.Json))]
public sealed record ConnectionId(string Value) : Id(Value)
{
    internal sealed class Json() : IdJson<ConnectionId>(value => new(value));
}

/// <summary>An account's id at Basiq.</summary>
[JsonConverter(typeof(AccountId.Json))]
public sealed record AccountId(string Value) : Id(Value)
{
    internal sealed class Json() : IdJson<AccountId>(value => new(value));
}

/// <summary>A job's id at Basiq.</summary>
[JsonConverter(typeof(JobId.Json))]
public sealed record JobId(string Value) : Id(Value)
{
    internal sealed class Json() : IdJson<JobId>(value => new(value));
}

/// <summary>A report's id at Basiq, which forgets it after a day.</summary>
[JsonConverter(typeof(BasiqReportId.Json))]
public sealed record BasiqReportId(string Value) : Id(Value)
{
    internal sealed class Json() : IdJson<BasiqReportId>(value => new(value));
}

/// <summary>A report's id, as callers know it: this app's own.</summary>
[JsonConverter(typeof(ReportId.Json))]
public sealed record ReportId(string Value) : Id(Value)
{
    internal sealed class Json() : IdJson<ReportId>(value => new(value));
}

/// <summary>A sync's id, as callers know it: the instance id of its orchestration.</summary>
[JsonConverter(typeof(SyncId.Json))]
public sealed record SyncId(string Value) : Id(Value)
{
    internal sealed class Json() : IdJson<SyncId>(value => new(value));
}

/// <summary>The id of one run of a sync, or of a removal. What the run writes is stored under it.</summary>
[JsonConverter(typeof(RunId.Json))]
public sealed record RunId(string Value) : Id(Value)
{
    internal sealed class Json() : IdJson<RunId>(value => new(value));
}

/// <summary>Where a page of a list ended. To callers it is opaque.</summary>
[JsonConverter(typeof(Cursor.Json))]
public sealed record Cursor(string Value) : Id(Value)
{
    internal sealed class Json() : IdJson<Cursor>(value => new(value));
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
