using System.Globalization;
using BasiqFunctions.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Consents;

/// <summary>Keeps the receipts of removals, also of those that are under way.</summary>
/// <remarks>
/// What there is to remove is counted and written down before it goes: a removal that dies half-way is finished by another attempt,
/// which would find less. A receipt of a removal under way counts as none yet, and is made into one when all is gone; until then its
/// <see cref="DeletionReceipt.RemovedAt"/> says when what there was to remove was counted. Once the
/// snapshots are gone nothing else would lead there, so users of whom a removal is under way are noted where all can be listed.
/// </remarks>
public sealed class DeletionReceipts(
    [FromKeyedServices(ReceiptOptions.Section)] IRecordTable table, IOptions<ReceiptOptions> options, TimeProvider clock)
{
    /// <summary>The most that are listed.</summary>
    public const int MaxListed = 100;

    /// <summary>Comes after all rows of receipts, which begin with a digit.</summary>
    private const string UnderWay = "under-way";

    /// <summary>After all rows of receipts and before those of removals under way.</summary>
    private const string BeforeUnderWay = "u";

    /// <summary>The partition of the users to whom somebody has to come back; a row is a user's id.</summary>
    private const string Unfinished = "unfinished";

    private const int MaxAttempts = 100;

    /// <summary>A user's receipts, the newest first, <see cref="MaxListed"/> at most.</summary>
    public async Task<IReadOnlyList<DeletionReceipt>> ListAsync(string userId, CancellationToken cancellation) =>
    [
        .. from record in await table.ListAsync(PartitionOf(userId), MaxListed, null, cancellation)
           where IsFinished(record) && record.IsLiveAt(clock.GetUtcNow())
           select Of(record),
    ];

    /// <summary>
    /// What became of all that was kept of a user, the last time that all of it went, be it still under way; null when it never did.
    /// </summary>
    public async Task<DeletionReceipt?> FindLastOfUserAsync(string userId, CancellationToken cancellation) =>
        await FindUnderWayAsync(userId, null, cancellation)
        ?? (await ListAsync(userId, cancellation)).FirstOrDefault(receipt => receipt.ConnectionId is null);

    /// <summary>The receipt of a removal that began and has not ended; null when there is none.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="connectionId">The connection, null for a removal of everything.</param>
    /// <param name="cancellation">Ends the wait.</param>
    internal async Task<DeletionReceipt?> FindUnderWayAsync(string userId, string? connectionId, CancellationToken cancellation) =>
        await table.FindAsync(PartitionOf(userId), UnderWayRow(connectionId), cancellation) is { } found ? Of(found) : null;

    /// <summary>The receipts of a user's removals that began and have not ended.</summary>
    internal async Task<IReadOnlyList<DeletionReceipt>> ListUnderWayAsync(string userId, CancellationToken cancellation) =>
        [.. (await table.ListAsync(PartitionOf(userId), MaxListed, BeforeUnderWay, cancellation)).Select(Of)];

    /// <summary>The users of whom a removal began and may not have ended, or of whom a sync was slow to stop.</summary>
    internal async Task<IReadOnlyList<string>> ListUnfinishedAsync(CancellationToken cancellation)
    {
        List<string> users = [];
        await foreach (var record in table.ListAllAsync(Unfinished, cancellation))
            users.Add(record.Row);
        return users;
    }

    /// <summary>Whether somebody has to come back to a user.</summary>
    internal async Task<bool> IsUnfinishedAsync(string userId, CancellationToken cancellation) =>
        await table.FindAsync(Unfinished, userId, cancellation) is not null;

    /// <summary>Notes that somebody has to come back to a user. Noted again it is another version, which a settling one leaves alone.</summary>
    internal Task NoteUnfinishedAsync(string userId, CancellationToken cancellation) =>
        table.PutAsync(new TableRecord(Unfinished, userId, []), cancellation);

    /// <summary>Takes the note back, unless a removal of the user is under way.</summary>
    internal async Task SettleAsync(string userId, CancellationToken cancellation)
    {
        // The note is read first: a removal that begins after the look at those under way has written it anew by then or will yet.
        if (await table.FindAsync(Unfinished, userId, cancellation) is { } note
            && (await ListUnderWayAsync(userId, cancellation)).Count == 0)
            await table.TryRemoveAsync(note, cancellation);
    }

    /// <summary>
    /// Writes down what is about to be removed. Where a removal of the same is under way already, this one goes on with it, and what
    /// both found counts.
    /// </summary>
    internal async Task<DeletionReceipt> BeginAsync(DeletionReceipt receipt, CancellationToken cancellation)
    {
        var begun = await WriteDownAsync(receipt, cancellation);
        await NoteUnfinishedAsync(receipt.UserId, cancellation);
        return begun;
    }

    private async Task<DeletionReceipt> WriteDownAsync(DeletionReceipt receipt, CancellationToken cancellation)
    {
        var (partition, row) = (PartitionOf(receipt.UserId), UnderWayRow(receipt.ConnectionId));
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var found = await table.FindAsync(partition, row, cancellation);
            var begun = found is null ? receipt : Of(found).Covering(receipt);
            if (found is not null && begun == Of(found))
                return begun;
            var record = new TableRecord(partition, row, begun.ToContent(ConsentsJson.Default.DeletionReceipt)) { ETag = found?.ETag };
            if ((found is null ? await table.TryAddAsync(record, cancellation) : await table.TryReplaceAsync(record, cancellation)) is not null)
                return begun;
        }

        throw new InvalidOperationException($"The receipt of user '{receipt.UserId}' changed {MaxAttempts} times while a removal began.");
    }

    /// <summary>Makes a receipt of a removal that has ended. Done twice, the first counts.</summary>
    internal async Task<DeletionReceipt> CompleteAsync(DeletionReceipt begun, CancellationToken cancellation)
    {
        var receipt = begun with { RemovedAt = clock.GetUtcNow() };
        var record = new TableRecord(PartitionOf(begun.UserId), RowOf(begun), receipt.ToContent(ConsentsJson.Default.DeletionReceipt))
        {
            ExpiresAt = receipt.RemovedAt + options.Value.KeepFor,
        };
        if (await table.TryAddAsync(record, cancellation) is null && await table.FindAsync(record.Partition, record.Row, cancellation) is { } first)
            receipt = Of(first);

        await DropAsync(begun, cancellation);
        return receipt;
    }

    /// <summary>Whether another removal of the same has ended since this one began.</summary>
    internal async Task<bool> HasEndedSinceAsync(DeletionReceipt begun, CancellationToken cancellation) =>
        (await ListAsync(begun.UserId, cancellation))
            .Any(receipt => receipt.ConnectionId == begun.ConnectionId && receipt.RemovedAt >= begun.BegunAt);

    /// <summary>Takes a removal for no longer under way. One that began meanwhile is another one.</summary>
    internal Task DropAsync(DeletionReceipt begun, CancellationToken cancellation) =>
        table.RemoveAsync(
            PartitionOf(begun.UserId), UnderWayRow(begun.ConnectionId), cancellation, unless: found => Of(found).ReceiptId != begun.ReceiptId);

    private static string PartitionOf(string userId) => $"user-{userId}";

    /// <summary>The newest first, by when the removal began: an attempt that goes on with it names the same row.</summary>
    private static string RowOf(DeletionReceipt receipt) =>
        string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.MaxValue.UtcTicks - receipt.BegunAt.UtcTicks:D19}-{receipt.ReceiptId}");

    private static string UnderWayRow(string? connectionId) => connectionId is null ? UnderWay : $"{UnderWay}-{connectionId}";

    private static bool IsFinished(TableRecord record) => !record.Row.StartsWith(UnderWay, StringComparison.Ordinal);

    private static DeletionReceipt Of(TableRecord record) => record.Read(ConsentsJson.Default.DeletionReceipt);
}
