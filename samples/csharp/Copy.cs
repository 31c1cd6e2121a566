using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using BasiqFunctions.Client.Models;
using Microsoft.Data.Sqlite;
using Microsoft.Kiota.Abstractions.Serialization;
using Npgsql;

namespace KeepInStep;

/// <summary>Where a user's copy stands.</summary>
/// <param name="Cursor">What to read on with; null at the beginning.</param>
/// <param name="Reading">Which reading of the whole it is: what an earlier one left and this one does not meet is gone.</param>
internal sealed record Place(string? Cursor, int Reading);

/// <summary>
/// The copy, in SQLite or PostgreSQL. A page and the cursor behind it are stored in one transaction, so that a program that dies goes on where it was;
/// and only if the cursor is still the one that the page was read with, so that two programs do no harm to each other.
/// </summary>
internal sealed class Copy : IAsyncDisposable
{
    private const string Tables = """
        CREATE TABLE IF NOT EXISTS places (user_id text PRIMARY KEY, cursor text, reading integer NOT NULL, is_whole integer NOT NULL);
        CREATE TABLE IF NOT EXISTS accounts (user_id text, account_id text, json text NOT NULL, reading integer NOT NULL, PRIMARY KEY (user_id, account_id));
        CREATE TABLE IF NOT EXISTS transactions (
            user_id text, account_id text, transaction_id text, inferred_from text, json text NOT NULL, reading integer NOT NULL,
            PRIMARY KEY (user_id, account_id, transaction_id));
        """;

    private readonly DbDataSource _database;

    private Copy(DbDataSource database) => _database = database;

    /// <summary>Opens it. A connection string with a host is PostgreSQL's.</summary>
    public static async Task<Copy> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        var isPostgres = connectionString.Contains("Host=", StringComparison.OrdinalIgnoreCase);
        DbProviderFactory provider = isPostgres ? NpgsqlFactory.Instance : SqliteFactory.Instance;
        var database = provider.CreateDataSource(connectionString);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);

        // Two programs that start at once on PostgreSQL would both create the tables, and one of them would fail.
        await RunAsync(connection, isPostgres ? $"BEGIN; SELECT pg_advisory_xact_lock(1); {Tables} COMMIT" : $"PRAGMA journal_mode = WAL; {Tables}", cancellationToken);
        return new Copy(database);
    }

    public async Task<Place> FindPlaceAsync(string userId, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenConnectionAsync(cancellationToken);
        await using var command = Command(connection, "SELECT cursor, reading FROM places WHERE user_id = @user", ("user", userId));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? new Place(await row.IsDBNullAsync(0, cancellationToken) ? null : row.GetString(0), row.GetInt32(1)) : new Place(null, 0);
    }

    /// <summary>Stores what a page says, and that it was read.</summary>
    public async Task ApplyAsync(string userId, Place place, ChangesPageResult page, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (!await MoveAsync(connection, userId, place, place with { Cursor = page.NextCursor }, cancellationToken))
            return;
        foreach (var account in (page.Accounts ?? []).Where(account => account.Type is not ChangeType.Removed))
        {
            await RunAsync(
                connection,
                """
                INSERT INTO accounts (user_id, account_id, json, reading) VALUES (@user, @account, @json, @reading)
                ON CONFLICT (user_id, account_id) DO UPDATE SET json = excluded.json, reading = excluded.reading
                """,
                cancellationToken,
                ("user", userId), ("account", account.AccountId), ("json", await KiotaJsonSerializer.SerializeAsStringAsync(account.Account!, false, cancellationToken)), ("reading", place.Reading));
        }

        foreach (var change in page.Changes!)
        {
            if (change.Type is ChangeType.Removed)
            {
                await RunAsync(
                    connection,
                    "DELETE FROM transactions WHERE user_id = @user AND account_id = @account AND transaction_id = @id",
                    cancellationToken,
                    ("user", userId), ("account", change.AccountId), ("id", change.TransactionId));
                continue;
            }

            await RunAsync(
                connection,
                """
                INSERT INTO transactions (user_id, account_id, transaction_id, inferred_from, json, reading) VALUES (@user, @account, @id, @from, @json, @reading)
                ON CONFLICT (user_id, account_id, transaction_id) DO UPDATE SET json = excluded.json, reading = excluded.reading
                """,
                cancellationToken,
                ("user", userId), ("account", change.AccountId), ("id", change.TransactionId), ("from", change.InferredFrom),
                ("json", await KiotaJsonSerializer.SerializeAsStringAsync(change.Transaction!, false, cancellationToken)), ("reading", place.Reading));
        }

        foreach (var account in (page.Accounts ?? []).Where(account => account.Type is ChangeType.Removed))
            await RunAsync(connection, "DELETE FROM accounts WHERE user_id = @user AND account_id = @account", cancellationToken, ("user", userId), ("account", account.AccountId));
        if (page.HasMore is not true)
            await EndReadingAsync(connection, userId, place.Reading, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Has everything be read once more. What there is stays until that is done.</summary>
    public async Task BeginAgainAsync(string userId, Place place, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await MoveAsync(connection, userId, place, new Place(null, place.Reading + 1), cancellationToken))
        {
            await RunAsync(connection, "UPDATE places SET is_whole = 0 WHERE user_id = @user", cancellationToken, ("user", userId));
            await transaction.CommitAsync(cancellationToken);
        }
    }

    /// <summary>Deletes all there is of a user.</summary>
    public async Task ForgetAsync(string userId, CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        foreach (var table in (string[])["places", "accounts", "transactions"])
            await RunAsync(connection, $"DELETE FROM {table} WHERE user_id = @user", cancellationToken, ("user", userId));
        await transaction.CommitAsync(cancellationToken);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    /// <summary>Moves on from a place; false when another program has.</summary>
    private static async Task<bool> MoveAsync(DbConnection connection, string userId, Place from, Place to, CancellationToken cancellationToken)
    {
        await RunAsync(
            connection, "INSERT INTO places (user_id, cursor, reading, is_whole) VALUES (@user, NULL, 0, 0) ON CONFLICT (user_id) DO NOTHING", cancellationToken, ("user", userId));
        return await RunAsync(
            connection,
            "UPDATE places SET cursor = @next, reading = @nextReading WHERE user_id = @user AND reading = @reading AND cursor IS NOT DISTINCT FROM @cursor",
            cancellationToken,
            ("user", userId), ("cursor", from.Cursor), ("reading", from.Reading), ("next", to.Cursor), ("nextReading", to.Reading)) == 1;
    }

    /// <summary>When a reading of the whole is done for the first time, what it did not meet is gone.</summary>
    private static async Task EndReadingAsync(DbConnection connection, string userId, int reading, CancellationToken cancellationToken)
    {
        if (await RunAsync(connection, "UPDATE places SET is_whole = 1 WHERE user_id = @user AND is_whole = 0", cancellationToken, ("user", userId)) == 0)
            return;
        foreach (var table in (string[])["accounts", "transactions"])
            await RunAsync(connection, $"DELETE FROM {table} WHERE user_id = @user AND reading < @reading", cancellationToken, ("user", userId), ("reading", reading));
    }

    private static async Task<int> RunAsync(DbConnection connection, string sql, CancellationToken cancellationToken, params (string Name, object? Value)[] values)
    {
        await using var command = Command(connection, sql, values);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [SuppressMessage("Security", "CA2100", Justification = "All of it stands in this file.")]
    private static DbCommand Command(DbConnection connection, string sql, params (string Name, object? Value)[] values)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value ?? DBNull.Value);
            command.Parameters.Add(parameter);
        }

        return command;
    }
}
