using System.Collections.Concurrent;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Platform;
using BasiqFunctions.Sandbox.Sync;
using BasiqFunctions.Sandbox.Users;

namespace BasiqFunctions.Sandbox.Data;

/// <summary>An account as its last finished job left it.</summary>
internal sealed class AccountView
{
    // Posted transactions have their number as id; pending ones this bit, then the refresh they belong to.
    private const ulong PendingBit = 1UL << 63;

    private readonly ulong _idKey;

    public AccountView(
        ConnectionRecord connection,
        Institution bank,
        int ordinal,
        AccountKind kind,
        TransactionSource source,
        int generation,
        DateTimeOffset updated)
    {
        Connection = connection;
        Kind = kind;
        Source = source;
        Generation = generation;
        Updated = updated;
        GivesMoments = bank.GivesMoments && !connection.IsStatement;
        _idKey = Chance.Mix(Chance.Mix(7, connection.Id), (ulong)ordinal);
        Id = Identifier.Of(_idKey, Chance.Mix(_idKey, 1));
        var number = Chance.Mix(Chance.Mix(Chance.Mix((uint)connection.Seed, connection.LoginId), bank.Id), (ulong)ordinal);
        AccountNo = bank.Bsb + (100_000_000 + (number % 900_000_000)).ToString("D9", null);
    }

    public ConnectionRecord Connection { get; }
    public AccountKind Kind { get; }
    public TransactionSource Source { get; }
    public int Generation { get; }
    public DateTimeOffset Updated { get; }
    public string Id { get; }
    public string AccountNo { get; }

    /// <inheritdoc cref="Institution.GivesMoments"/>
    public bool GivesMoments { get; }

    /// <summary>Pending and posted.</summary>
    public int Count => Source.Pending + Source.Posted;

    /// <summary>The day that orders a transaction, newest first: pending ones come before all posted ones.</summary>
    public int DayAt(int index) =>
        index < Source.Pending ? int.MaxValue : Source.DayOf(Count - 1 - index);

    public bool IsPending(int index) => index < Source.Pending;

    public Entry EntryAt(int index) =>
        index < Source.Pending ? Source.PendingAt(index) : Source.PostedAt(Count - 1 - index);

    /// <summary>A number of a transaction that stays the same while the list grows; <see cref="IndexOf"/> undoes it.</summary>
    public ulong StableNumber(int index) => index < Source.Pending
        ? PendingBit | ((ulong)(uint)Generation << 32) | (uint)index
        : Source.StableOf(Count - 1 - index);

    /// <summary>The index, newest first, of a stable number; -1 when the account has no such transaction (any more).</summary>
    public int IndexOf(ulong stable)
    {
        if ((stable & PendingBit) != 0)
        {
            var index = (int)(uint)stable;
            return (int)((stable & ~PendingBit) >> 32) == Generation && index >= 0 && index < Source.Pending ? index : -1;
        }

        return Source.NumberOf(stable) is >= 0 and var number ? Count - 1 - number : -1;
    }

    /// <summary>Writes the id of a transaction: the account's key, then the stable number, mixed so that ids look unrelated.</summary>
    public void WriteTransactionId(Span<char> span, int index)
    {
        var stable = StableNumber(index);
        Identifier.Write(span, _idKey ^ Chance.Mix(11, stable), Scramble(stable));
    }

    /// <summary>The index of a transaction by its id; -1 when it is not of this account.</summary>
    public int IndexOfTransaction(ulong high, ulong low)
    {
        var stable = Unscramble(low);
        return high == (_idKey ^ Chance.Mix(11, stable)) ? IndexOf(stable) : -1;
    }

    /// <summary>The first index whose day is at most the given one.</summary>
    public int FirstNotAfter(int day)
    {
        var (low, high) = (0, Count);
        while (low < high)
        {
            var middle = (int)(((uint)low + (uint)high) / 2);
            if (DayAt(middle) <= day)
                high = middle;
            else
                low = middle + 1;
        }

        return low;
    }

    // Multiplication by an odd number and rotation can both be undone.
    private const ulong Odd = 0x9E3779B97F4A7C15;
    private const ulong OddInverse = 0xF1DE83E19937733D;

    private ulong Scramble(ulong stable) => System.Numerics.BitOperations.RotateLeft((stable ^ _idKey) * Odd, 29) * Odd;

    private ulong Unscramble(ulong low) => (System.Numerics.BitOperations.RotateRight(low * OddInverse, 29) * OddInverse) ^ _idKey;
}

/// <summary>The accounts of a connection, good until the next job changes them.</summary>
internal sealed record ConnectionData(int Generation, int AccountsGeneration, AccountView[] Accounts);

/// <summary>Gives the accounts that a user's finished jobs have fetched.</summary>
internal sealed class DataViews(TimeProvider clock)
{
    // Without transactions of its own, an account beyond those of the household has about this many.
    private const int TransactionsOfAnExtraAccount = 240;

    // Users of the same login, bank and days share what was written for one of them.
    private const int LedgersKept = 64;

    private readonly ConcurrentDictionary<LedgerKey, (AccountKind Kind, TransactionSource Source)[]> _ledgers = new();

    /// <summary>All accounts of a user, oldest connection first, deleted connections included.</summary>
    public AccountView[] Accounts(UserState user)
    {
        var connections = user.Connections;
        if (connections.Length == 1)
            return Accounts(connections[0]);
        List<AccountView> accounts = [];
        foreach (var connection in connections)
            accounts.AddRange(Accounts(connection));
        return [.. accounts];
    }

    public AccountView[] Accounts(ConnectionState connection)
    {
        var now = clock.GetUtcNow();
        var purged = connection.Record.Purged ?? DateTimeOffset.MinValue;
        var (accountsGeneration, generation) = (0, 0);
        DateTimeOffset accountsAt = default, transactionsAt = default;
        List<(Movement, int)> movements = [];
        foreach (var job in connection.Jobs)
        {
            var progress = new JobProgress(job, now);
            if (progress[1] == StepStatus.Success)
            {
                accountsGeneration++;
                accountsAt = progress.EndOf(1);
            }

            if (progress[2] == StepStatus.Success)
            {
                generation++;
                transactionsAt = progress.EndOf(2);
                if (job.Movement is { } movement)
                    movements.Add((movement, DayOf(transactionsAt)));
            }
        }

        if (accountsGeneration == 0 || accountsAt <= purged)
            return [];
        if (connection.Data is { } known && known.Generation == generation && known.AccountsGeneration == accountsGeneration)
            return known.Accounts;
        var accounts = Make(connection.Record, transactionsAt <= purged ? 0 : generation, accountsAt, transactionsAt, movements);
        connection.Data = new ConnectionData(generation, accountsGeneration, accounts);
        return accounts;
    }

    private AccountView[] Make(
        ConnectionRecord record,
        int generation,
        DateTimeOffset accountsAt,
        DateTimeOffset transactionsAt,
        IReadOnlyList<(Movement, int)> movements)
    {
        var bank = Institution.Find(record.InstitutionId)!;
        var persona = Persona.Find(record.LoginId)!;
        var anchor = DayOf(record.Created);
        var asOf = Math.Max(anchor, DayOf(generation > 0 ? transactionsAt : accountsAt));
        var household = Ledger(persona, bank, record.Seed, anchor, asOf);
        var accounts = new AccountView[record.Accounts ?? household.Length];
        var updated = generation > 0 ? transactionsAt : accountsAt;
        for (var ordinal = 0; ordinal < accounts.Length; ordinal++)
        {
            var isOwn = ordinal < household.Length;
            var kind = isOwn
                ? household[ordinal].Kind
                : household[0].Kind with { Name = $"{household[0].Kind.Name} {ordinal - household.Length + 2}" };
            var source = isOwn && record.Transactions is null
                ? household[ordinal].Source
                : Generated(record, bank, ordinal, anchor, isOwn ? household[ordinal].Source.Closing : 120_000);

            // What happens between refreshes happens on the account that one lives from.
            if (ordinal == 0 && movements.Count > 0)
                source = new MovedTransactions(source, Chance.Mix(17, record.Id), movements);

            // Accounts are there once they were retrieved; their transactions only after the step that follows.
            if (generation == 0)
                source = new ListedTransactions([], [], source.Closing);
            accounts[ordinal] = new AccountView(record, bank, ordinal, kind, source, generation, updated);
        }

        return accounts;
    }

    private static GeneratedTransactions Generated(ConnectionRecord record, Institution bank, int ordinal, int anchor, long opening)
    {
        var key = Chance.Mix(Chance.Mix(Chance.Mix((uint)record.Seed, record.LoginId), bank.Id), (ulong)ordinal);
        return new GeneratedTransactions(key, record.Transactions ?? TransactionsOfAnExtraAccount, anchor, opening);
    }

    private (AccountKind Kind, TransactionSource Source)[] Ledger(Persona persona, Institution bank, int seed, int anchor, int asOf)
    {
        if (_ledgers.Count > LedgersKept)
            _ledgers.Clear();
        return _ledgers.GetOrAdd(
            new LedgerKey(persona.User.LoginId, bank.Id, seed, anchor, asOf),
            static (key, x) => Sandbox.Data.Ledger.Write(x.persona, x.bank, key.Seed, key.Anchor, key.AsOf),
            (persona, bank));
    }

    private static int DayOf(DateTimeOffset at) => DateOnly.FromDateTime(at.UtcDateTime).DayNumber;

    private readonly record struct LedgerKey(string Login, string Bank, int Seed, int Anchor, int AsOf);
}
