using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Connections.Visits;
using BasiqFunctions.Data;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Connections;

/// <summary>
/// How a user's connections are. Basiq's list is kept until a sync publishes or something is known to have happened, an hour at most; one with a connection
/// that does not work is not kept, since the person may be mending it.
/// </summary>
public sealed class ConnectionStates(
    IBasiqClient basiq,
    [FromKeyedServices(ConnectionOptions.Section)] IRecordTable table,
    ConnectionAttentions attentions,
    VisitBudget budget,
    SnapshotReader snapshots,
    IOptions<ConnectionOptions> options,
    TimeProvider clock)
{
    /// <summary>The name of its row.</summary>
    internal const string Row = "connections";

    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(1);

    /// <summary>A user's connections.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="isLive">Whether Basiq is asked in any case.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="BasiqException">Basiq could not be asked, or does not know the user.</exception>
    internal async Task<ConnectionList> ListAsync(UserId userId, bool isLive, CancellationToken cancellation)
    {
        var (publishedAt, fetched) = await FetchedAsync(userId, cancellation);
        var now = clock.GetUtcNow();
        var kept = isLive ? null : await FindAsync(userId, publishedAt, now, cancellation);
        kept ??= await AskAsync(userId, now, cancellation);
        var matters = (await attentions.ListAsync(userId, cancellation)).ToDictionary(matter => matter.ConnectionId);
        var (leftOf, nextDayAt) = await budget.CountAsync(userId, cancellation);
        ConnectionState[] states =
        [
            .. from connection in kept.Connections
               let matter = matters.GetValueOrDefault(connection.Id) ?? ByStatus(connection, kept.SeenAt)
               let asOf = fetched.GetValueOrDefault(connection.Id)
               let isRefreshed = ConnectionCare.HasBank(connection) && ConnectionCare.ActionFor(connection) is null
               let left = isRefreshed && ConnectionCare.IsOpenBanking(connection) ? leftOf(connection.Id) : (int?)null
               let freshUntil = BasiqTime.Of(connection.LastUsed) + options.Value.FreshFor
               select new ConnectionState(connection)
               {
                   LastFetchedAt = asOf,
                   IsStale = !(asOf > now - options.Value.StaleAfter),
                   RefreshesLeftToday = left,
                   NextRefreshAllowedAt = !isRefreshed ? null : left == 0 && !(freshUntil > nextDayAt) ? nextDayAt : freshUntil > now ? freshUntil : now,
                   ConsentEndsAt = BasiqTime.Of(connection.ExpiryDate),
                   Attention = matter is null ? null : matter with { ContinueWith = ConnectionCare.LinkFor(connection, matter.NextAction) },
               },
        ];
        var attention = states.Select(state => state.Attention).OfType<ConnectionAttention>().Where(matter => matters.ContainsKey(matter.ConnectionId)).ToArray();
        return new ConnectionList(states, kept.SeenAt, attention.Length == 0 ? null : attention);
    }

    /// <summary>Has Basiq be asked the next time: something has happened.</summary>
    internal Task ForgetAsync(UserId userId, CancellationToken cancellation) => table.RemoveAsync(PartitionOf(userId), Row, cancellation);

    private static ConnectionAttention? ByStatus(Connection connection, DateTimeOffset since) =>
        ConnectionCare.ActionFor(connection) is { } action ? new ConnectionAttention(connection.Id, action, since) : null;

    private static string PartitionOf(UserId userId) => $"user-{userId}";

    private async Task<KeptConnections?> FindAsync(UserId userId, DateTimeOffset? publishedAt, DateTimeOffset now, CancellationToken cancellation)
    {
        if (await table.FindAsync(PartitionOf(userId), Row, cancellation) is not { Damage: null } found || !found.IsLiveAt(now))
            return null;
        var kept = found.Read<KeptConnections>();
        return publishedAt is null || kept.SeenAt < publishedAt ? null : kept;
    }

    private async Task<KeptConnections> AskAsync(UserId userId, DateTimeOffset now, CancellationToken cancellation)
    {
        var kept = new KeptConnections(now, await basiq.ListConnectionsAsync(userId, cancellation));
        var content = kept.ToContent();
        if (kept.Connections.All(connection => connection.IsActive) && content.Length <= TableRecord.MaxContentBytes)
            await table.PutAsync(new TableRecord(PartitionOf(userId), Row, content) { ExpiresAt = now + KeptFor }, cancellation);
        else
            await ForgetAsync(userId, cancellation);

        // Nothing is kept of somebody whose data has gone. Looked up after it was written: a removal that begins later takes it along.
        if ((await FetchedAsync(userId, cancellation)).PublishedAt is null)
            await ForgetAsync(userId, cancellation);
        return kept;
    }

    private async Task<(DateTimeOffset? PublishedAt, IReadOnlyDictionary<ConnectionId, DateTimeOffset?> Connections)> FetchedAsync(UserId userId, CancellationToken cancellation)
    {
        try
        {
            return await snapshots.ListAsOfAsync(userId, cancellation);
        }
        catch (SnapshotCorruptException)
        {
            return (null, new Dictionary<ConnectionId, DateTimeOffset?>());
        }
    }
}

/// <summary>Basiq's list of a user's connections.</summary>
/// <param name="SeenAt">When it was asked.</param>
/// <param name="Connections">The connections.</param>
internal sealed record KeptConnections(
    [property: JsonPropertyName("seenAt")] DateTimeOffset SeenAt, [property: JsonPropertyName("connections")] IReadOnlyList<Connection> Connections);

/// <summary>ListConnections' answer.</summary>
/// <param name="Connections">The connections.</param>
/// <param name="AsOf">When Basiq was asked for them.</param>
/// <param name="Attention">What is known to be the matter with some of them; left out when nothing is.</param>
internal sealed record ConnectionList(
    [property: JsonPropertyName("connections")] IReadOnlyList<ConnectionState> Connections,
    [property: JsonPropertyName("asOf")] DateTimeOffset AsOf,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("attention")]
    IReadOnlyList<ConnectionAttention>? Attention = null);

/// <summary>A connection as Basiq sent it, and beside that how it is.</summary>
[JsonConverter(typeof(Converter))]
internal sealed record ConnectionState(Connection Connection)
{
    /// <summary>From when its data are that can be read here; left out where there are none.</summary>
    public DateTimeOffset? LastFetchedAt { get; init; }

    /// <summary>Whether they are older than `Connections:StaleAfter`, or there are none.</summary>
    public bool IsStale { get; init; }

    /// <summary>When a refresh visits the bank again without `force`; left out where it cannot be refreshed.</summary>
    public DateTimeOffset? NextRefreshAllowedAt { get; init; }

    /// <summary>How many visits of its bank are left today; left out where there is no limit, or it cannot be refreshed.</summary>
    public int? RefreshesLeftToday { get; init; }

    /// <summary>When the consent behind it ends.</summary>
    public DateTimeOffset? ConsentEndsAt { get; init; }

    /// <summary>What has to be done about it; left out where nothing has.</summary>
    public ConnectionAttention? Attention { get; init; }

    internal sealed class Converter : JsonConverter<ConnectionState>
    {
        public override ConnectionState Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("States of connections are answered and not read.");

        public override void Write(Utf8JsonWriter writer, ConnectionState value, JsonSerializerOptions options)
        {
            writer.WriteStartObject();
            foreach (var property in value.Connection.Json.EnumerateObject())
            {
                if (property.Name is "lastFetchedAt" or "isStale" or "nextRefreshAllowedAt" or "refreshesLeftToday" or "consentEndsAt" or "attention")
                    continue;
                writer.WritePropertyName(property.Name);
                writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(property.Value), skipInputValidation: true);
            }

            Moment("lastFetchedAt"u8, value.LastFetchedAt);
            writer.WriteBoolean("isStale"u8, value.IsStale);
            Moment("nextRefreshAllowedAt"u8, value.NextRefreshAllowedAt);
            if (value.RefreshesLeftToday is { } left)
                writer.WriteNumber("refreshesLeftToday"u8, left);
            Moment("consentEndsAt"u8, value.ConsentEndsAt);
            if (value.Attention is { } attention)
            {
                writer.WritePropertyName("attention"u8);
                JsonSerializer.Serialize(writer, attention, AppJson.Of<ConnectionAttention>());
            }

            writer.WriteEndObject();

            void Moment(ReadOnlySpan<byte> name, DateTimeOffset? at)
            {
                if (at is { } moment)
                    writer.WriteString(name, moment);
            }
        }
    }
}
