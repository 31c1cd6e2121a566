using BasiqFunctions.Platform.Records;
using Microsoft.Data.Sqlite;

namespace BasiqFunctions.LocalHost.Records;

/// <summary>What SQLite's result codes (sqlite.org/rescode.html) mean for whoever needs the file.</summary>
internal static class SqliteFailure
{
    /// <summary>How long a statement waits for another program's lock to go, in seconds: who asked is to be answered within five.</summary>
    public const int PatienceWithLocks = 2;

    /// <summary>One of the codes of <see cref="StoreUnavailableException"/>.</summary>
    public static string CodeOf(SqliteException exception) => exception.SqliteErrorCode switch
    {
        3 or 23 => StoreUnavailableException.NoPermission,
        5 or 6 => StoreUnavailableException.Locked,
        8 => StoreUnavailableException.ReadOnly,

        // 1 is a statement that does not fit the tables: the statements are constants.
        1 or 11 or 24 or 26 => StoreUnavailableException.Damaged,
        13 => StoreUnavailableException.DiskFull,
        _ => StoreUnavailableException.OutOfReach,
    };
}
