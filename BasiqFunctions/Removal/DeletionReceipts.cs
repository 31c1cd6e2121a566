using System.Globalization;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Removal;

/// <summary>Keeps the receipts of removals that have ended.</summary>
public sealed class DeletionReceipts(
    [FromKeyedServices(ReceiptOptions.Section)] IRecordTable table, IOptions<ReceiptOptions> options, TimeProvider clock) : IRemovalHistory
{
    /// <summary>The most that are listed.</summary>
    public const int MaxListed = 100;

    /// <summary>A user's receipts, the newest first, <see cref="MaxListed"/> at most.</summary>
    public async Task<IReadOnlyList<DeletionReceipt>> ListAsync(UserId userId, CancellationToken cancellation) =>
    [
        .. from record in await table.ListAsync(PartitionOf(userId), MaxListed, null, cancellation)
           where record.IsLiveAt(clock.GetUtcNow())
           select Of(record),
    ];

    /// <summary>One of a user's receipts; null when there is none, or not yet.</summary>
    public async Task<DeletionReceipt?> FindAsync(UserId userId, string receiptId, CancellationToken cancellation) =>
        await table.ListAllAsync(PartitionOf(userId), cancellation).FirstOrDefaultAsync(record => record.Row[(record.Row.IndexOf('-', StringComparison.Ordinal) + 1)..] == receiptId, cancellation)
            is { } found && found.IsLiveAt(clock.GetUtcNow()) ? Of(found) : null;

    /// <summary>What became of all that was kept of a user, the last time that all of it went; null when it never did.</summary>
    public async Task<DeletionReceipt?> FindLastOfUserAsync(UserId userId, CancellationToken cancellation) =>
        (await ListAsync(userId, cancellation)).FirstOrDefault(receipt => receipt.ConnectionId is null);

    /// <inheritdoc />
    public async Task<bool> HasConsentEndedAsync(UserId userId, CancellationToken cancellation) =>
        await FindLastOfUserAsync(userId, cancellation) is { IsOfConsent: true };

    /// <summary>Adds the receipt of a removal that has ended by now. Done twice, the first counts.</summary>
    internal async Task<DeletionReceipt> AddAsync(DeletionReceipt receipt, CancellationToken cancellation)
    {
        receipt = receipt with { RemovedAt = clock.GetUtcNow() };
        var record = new TableRecord(PartitionOf(receipt.UserId), RowOf(receipt), receipt.ToContent())
        {
            ExpiresAt = receipt.RemovedAt + options.Value.KeepFor,
        };
        return await table.TryAddAsync(record, cancellation) is null && await table.FindAsync(record.Partition, record.Row, cancellation) is { } first
            ? Of(first)
            : receipt;
    }

    private static string PartitionOf(UserId userId) => $"user-{userId}";

    /// <summary>The newest first, by when the removal began.</summary>
    private static string RowOf(DeletionReceipt receipt) =>
        string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.MaxValue.UtcTicks - receipt.BegunAt.UtcTicks:D19}-{receipt.ReceiptId}");

    private static DeletionReceipt Of(TableRecord record) => record.Read<DeletionReceipt>();
}
