using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Removal;

/// <summary>Keeps the removals that wait for somebody to confirm them, for a week, and those that were confirmed for another.</summary>
public sealed class HeldRemovals([FromKeyedServices(ReceiptOptions.Section)] IRecordTable table, TimeProvider clock)
{
    internal static readonly TimeSpan KeepFor = TimeSpan.FromDays(7);

    private const string Partition = "held-removals";

    /// <summary>Those that can be confirmed, or were.</summary>
    internal async Task<IReadOnlyList<HeldRemoval>> ListAsync(CancellationToken cancellation)
    {
        List<HeldRemoval> held = [];
        await foreach (var record in table.ListAllAsync(Partition, cancellation))
        {
            if (record.IsLiveAt(clock.GetUtcNow()))
                held.Add(Of(record));
        }

        return [.. held.OrderByDescending(removal => removal.HeldAt)];
    }

    /// <summary>Writes down that a pass holds up its removals.</summary>
    internal async Task<HeldRemoval> HoldAsync(int users, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var held = new HeldRemoval(Guid.NewGuid().ToString("N"), users, now, now + KeepFor);
        await table.PutAsync(RecordOf(held), cancellation);
        return held;
    }

    /// <summary>Confirms the removals of a pass; null when there is no such pass, or it has expired. Confirmed again, the first time counts.</summary>
    internal async Task<HeldRemoval?> ConfirmAsync(string passId, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        if (await table.FindAsync(Partition, passId, cancellation) is not { } found || !found.IsLiveAt(now))
            return null;
        if (Of(found) is { ConfirmedAt: not null } earlier)
            return earlier;
        var confirmed = Of(found) with { ConfirmedAt = now, ExpiresAt = now + KeepFor };
        if (await table.TryReplaceAsync(RecordOf(confirmed) with { ETag = found.ETag }, cancellation) is not null)
            return confirmed;

        // Somebody else has just confirmed it.
        return await table.FindAsync(Partition, passId, cancellation) is { } other ? Of(other) : null;
    }

    private static TableRecord RecordOf(HeldRemoval held) =>
        new(Partition, held.PassId, held.ToContent()) { ExpiresAt = held.ExpiresAt };

    private static HeldRemoval Of(TableRecord record) => record.Read<HeldRemoval>();
}
