using System.Security.Cryptography;
using BasiqFunctions.Data.Changes;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Data.Exports;

/// <summary>Opens a user's transactions to be read as a whole.</summary>
public sealed class ExportReader(SnapshotManifests manifests, SnapshotReader snapshots, ISnapshotStorage storage, DueWork due, IOptions<SnapshotOptions> options, TimeProvider clock)
{
    /// <summary>How long a read may take: who takes longer has a network that does not carry it.</summary>
    internal static readonly TimeSpan ReadFor = TimeSpan.FromHours(1);

    /// <summary>How often a snapshot may be replaced while one is opened.</summary>
    private const int MostAttempts = 10;

    private readonly SegmentReader _reader = new(storage);
    private readonly HeldReads _reads = new(storage, clock);
    private readonly BankDays _days = new(options.Value.TimeZone);

    /// <summary>Opens what a query is about, of which the first page is known to be readable, or says why there is nothing. The caller disposes it.</summary>
    /// <exception cref="SnapshotCorruptException">It is damaged.</exception>
    internal async Task<(Export? Export, TransactionsResult? Missing)> OpenAsync(UserId userId, MergedQuery query, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (await manifests.ReadAsync(userId, cancellationToken) is not { Manifest: { RunId: not null } manifest } current)
                return (null, new TransactionsResult.NoSnapshot());
            var (accounts, missing) = SnapshotReader.Choose(manifest, query);
            if (missing is not null)
                return (null, missing);
            var readId = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
            var export = new Export(
                _reader, _reads, _days, userId, readId, accounts, TransactionFilter.Of(query.Transactions), snapshots.VersionOf(accounts));
            var isOpen = false;
            try
            {
                isOpen = await HoldAsync(userId, readId, manifest, accounts, current.ETag, cancellationToken) && await IsReadableAsync(export, cancellationToken);
                if (isOpen)
                    return (export, null);
            }
            catch (SnapshotCorruptException) when (attempt < MostAttempts)
            {
                // Either it is damaged, or somebody has removed it meanwhile: the manifest tells which.
                if ((await manifests.ReadAsync(userId, cancellationToken))?.ETag == current.ETag)
                    throw;
            }
            finally
            {
                if (!isOpen)
                    await export.DisposeAsync();
            }

            if (attempt == MostAttempts)
                throw new InvalidOperationException($"The snapshot of user '{userId}' changed {MostAttempts} times while it was opened.");
        }
    }

    /// <summary>Whether what could not be read still is what there is: then it is damaged, and did not go with its connection.</summary>
    internal async Task<bool> IsDamageAsync(UserId userId, SnapshotCorruptException trouble, CancellationToken cancellationToken) =>
        (await manifests.ReadAsync(userId, cancellationToken))?.Manifest.Accounts
            .Any(account => account.Transactions is { } held && new AccountSegments(account.AccountId, account.ConnectionId, held).Names(userId).Contains(trouble.BlobName)) is true;

    /// <summary>Sees to it that what is read stays; false when it may have gone already.</summary>
    private async Task<bool> HoldAsync(
        UserId userId, string readId, SnapshotManifest manifest, IReadOnlyList<ManifestAccount> accounts, string etag, CancellationToken cancellationToken)
    {
        var feed = ManifestFeed.Of(manifest);
        var read = new HeldRead(
            feed.Id,
            feed.Last,
            clock.GetUtcNow() + ReadFor,
            [.. accounts.Select(account => new AccountSegments(account.AccountId, account.ConnectionId, account.Transactions!))]);

        // Before there is anything to look after, should nobody let go of it.
        await due.SetAsync(userId, cancellationToken, (DueKinds.Leftover, read.ExpiresAt));
        await _reads.HoldAsync(userId, readId, read, cancellationToken);
        return (await manifests.ReadAsync(userId, cancellationToken))?.ETag == etag;
    }

    private static async Task<bool> IsReadableAsync(Export export, CancellationToken cancellationToken)
    {
        await foreach (var _ in export.ReadAsync(cancellationToken))
            break;
        return true;
    }
}
