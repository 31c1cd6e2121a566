namespace BasiqFunctions.Data;

/// <summary>Notes of accounts whose next sync fetches the whole of them: something could not be read, or the whole is owed.</summary>
public sealed class DamagedAccounts(ISnapshotStorage storage)
{
    /// <summary>Notes that something of an account could not be read: its next sync fetches the whole of it, which mends that.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="damage">What was found.</param>
    /// <param name="cancellationToken">Stops it.</param>
    internal async Task NoteAsync(UserId userId, SnapshotCorruptException damage, CancellationToken cancellationToken)
    {
        if (SnapshotPaths.AccountOf(damage.BlobName) is not { } accountId)
            return;
        await NoteAsync(userId, accountId, cancellationToken);

        // Of a user who was removed meanwhile nothing stays.
        if (!await storage.ExistsAsync(SnapshotPaths.Manifest(userId), cancellationToken))
            await storage.DeleteAsync(SnapshotPaths.Damage(userId, accountId), CancellationToken.None);
    }

    internal Task NoteAsync(UserId userId, AccountId accountId, CancellationToken cancellationToken) =>
        storage.TryPutAsync(SnapshotPaths.Damage(userId, accountId), ReadOnlyMemory<byte>.Empty, null, cancellationToken);

    internal async Task<IReadOnlySet<AccountId>> ListAsync(UserId userId, CancellationToken cancellationToken)
    {
        var prefix = SnapshotPaths.Damages(userId);
        HashSet<AccountId> damaged = [];
        await foreach (var blob in storage.ListAsync(prefix, cancellationToken))
            damaged.Add(new(blob.Name[prefix.Length..]));
        return damaged;
    }

    /// <summary>Takes the notes of these accounts back.</summary>
    internal async Task ClearAsync(UserId userId, Predicate<AccountId> ofAccount, CancellationToken cancellationToken)
    {
        foreach (var accountId in await ListAsync(userId, cancellationToken))
        {
            if (ofAccount(accountId))
                await storage.DeleteAsync(SnapshotPaths.Damage(userId, accountId), cancellationToken);
        }
    }
}
