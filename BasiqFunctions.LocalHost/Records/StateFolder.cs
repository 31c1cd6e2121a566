using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Vault.LocalVault;

namespace BasiqFunctions.LocalHost.Records;

/// <summary>
/// The folder that keeps what this host knows. What is in it and cannot be used stops the start, before anything is written: with the
/// file's name, and what to do.
/// </summary>
internal sealed class StateFolder(string path)
{
    private const int SharingViolation = unchecked((int)0x80070020);

    /// <summary>Where the secrets are, unless a setting says otherwise.</summary>
    public string VaultFile => Path.Combine(path, "keyvault.json");

    /// <summary>Makes the folder and keeps other processes from it until the lock is disposed of.</summary>
    public FileStream Lock()
    {
        try
        {
            OwnerOnly.CreateDirectory(path);
            var held = OwnerOnly.Hold(Path.Combine(path, "lock"));
            TryWriting(path);
            return held;
        }
        catch (IOException exception) when (IsHeld(exception))
        {
            throw new LocalHostException(
                $"The folder '{path}' is in use by another LocalHost. Stop it, start this one with --urls http://localhost:7081, or give it another folder with --LocalHost:StateDirectory.",
                exception);
        }
        catch (Exception exception) when (StoreUnavailableException.CodeOf(exception) is { } code)
        {
            throw Unusable(path, code, null, exception);
        }
    }

    /// <summary>Opens the journal of orchestrations.</summary>
    public Journal OpenJournal() =>
        Open("journal.db", "It holds how syncs stand: those under way are lost without it, and can be started anew.", Journal.Open);

    /// <summary>Opens the tables of small records.</summary>
    public SqliteRecordTables OpenRecords() =>
        Open("records.db", "It holds idempotency keys, what webhooks said, and deletion receipts.", SqliteRecordTables.Open);

    /// <summary>Makes the folder of the snapshots, if it is not there.</summary>
    /// <returns>Its path.</returns>
    public string CreateSnapshotsFolder() =>
        Open("snapshots", "It holds accounts and transactions, which the next syncs fetch again.", folder =>
        {
            OwnerOnly.CreateDirectory(folder);
            TryWriting(folder);
            return folder;
        });

    /// <summary>Looks whether the secrets can be read.</summary>
    /// <param name="file">Their file, which a setting may have put elsewhere.</param>
    public void CheckVault(string file) =>
        Open(Path.GetFullPath(file), "It holds the secrets; all are made anew without it but an API key that only it has.", vault =>
        {
            new LocalKeyVault(vault, TimeProvider.System).Check();
            return vault;
        });

    private T Open<T>(string name, string holds, Func<string, T> open)
    {
        var file = Path.Combine(path, name);
        try
        {
            return open(file);
        }
        catch (Exception exception) when (StoreUnavailableException.CodeOf(exception) is { } code)
        {
            throw Unusable(file, code, holds, exception);
        }
    }

    private static void TryWriting(string folder) =>
        new FileStream(Path.Combine(folder, "~writable"), FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose).Dispose();

    private static LocalHostException Unusable(string file, string code, string? holds, Exception exception) => new(
        code switch
        {
            StoreUnavailableException.Damaged =>
                $"'{file}' is damaged; nothing in it has been changed. {holds} Put a copy of it in its place, or move it away to begin without it.",
            StoreUnavailableException.DiskFull => $"There is no room on the disk of '{file}'. Make room, or choose another folder with --LocalHost:StateDirectory.",
            StoreUnavailableException.ReadOnly => $"'{file}' is on a disk that is read-only. Choose another folder with --LocalHost:StateDirectory.",
            StoreUnavailableException.NoPermission =>
                $"'{file}' is read-only for this user, or closed to it. Give the user the right to read and write there, or choose another folder with --LocalHost:StateDirectory.",
            StoreUnavailableException.Locked => $"'{file}' is locked by another program. End that, and start again.",
            _ => $"'{file}' cannot be used: something else may be in its place. {holds} Move away what is there, or choose another folder with --LocalHost:StateDirectory.",
        },
        exception);

    /// <summary>Whether another process holds the folder.</summary>
    public static bool IsHeld(Exception? exception) =>
        exception is IOException && (OperatingSystem.IsWindows() ? exception.HResult == SharingViolation : exception.HResult is 11 or 35);
}
