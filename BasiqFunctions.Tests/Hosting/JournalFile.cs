using Microsoft.Data.Sqlite;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>The orchestrations' journal as a file, to be tampered with.</summary>
internal static class JournalFile
{
    public static void Change(TemporaryDirectory state, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(state.Path, "journal.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
