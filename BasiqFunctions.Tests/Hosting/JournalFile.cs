using Microsoft.Data.Sqlite;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>The orchestrations' journal as a file, to be looked into and tampered with.</summary>
internal static class JournalFile
{
    public static void Change(TemporaryDirectory state, string sql)
    {
        using var connection = Open(state);
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public static long Count(TemporaryDirectory state, string sql)
    {
        using var connection = Open(state);
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    private static SqliteConnection Open(TemporaryDirectory state)
    {
        var connection = new SqliteConnection($"Data Source={Path.Combine(state.Path, "journal.db")};Pooling=False");
        connection.Open();
        return connection;
    }
}
