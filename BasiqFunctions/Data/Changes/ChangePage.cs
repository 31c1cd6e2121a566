using System.Buffers;
using System.Text;

namespace BasiqFunctions.Data.Changes;

/// <summary>The page of changes that is being read, as it is answered.</summary>
internal sealed class ChangePage(int limit, AccountId? accountId)
{
    private readonly ArrayBufferWriter<byte> _changes = new(16 * 1_024);
    private readonly ArrayBufferWriter<byte> _accounts = new();
    private readonly byte[]? _account = accountId is null ? null : Encoding.ASCII.GetBytes(accountId);
    private int _count;

    public bool IsFull => _count >= limit;

    public ReadOnlyMemory<byte> Changes => Closed(_changes);

    public ReadOnlyMemory<byte> Accounts => Closed(_accounts);

    /// <summary>Whether a change is one that is asked for.</summary>
    public bool Wants(ReadOnlySpan<byte> account) => _account is null || account.SequenceEqual(_account);

    /// <inheritdoc cref="Wants(ReadOnlySpan{byte})"/>
    public bool Wants(AccountId account) => accountId is null || account == accountId;

    /// <summary>Adds a change as it is stored.</summary>
    /// <returns>False when it belongs here and there is no room left.</returns>
    public bool TryAdd(ReadOnlySpan<byte> line)
    {
        if (!Wants(ChangeLine.AccountOf(line, out var isOfAccount)))
            return true;
        if (!isOfAccount && IsFull)
            return false;
        Begin(isOfAccount ? _accounts : _changes).Write(line);
        _count += isOfAccount ? 0 : 1;
        return true;
    }

    /// <summary>Adds a transaction of the whole; there must be room.</summary>
    public void Add(AccountId account, ReadOnlySpan<byte> id, ReadOnlySpan<byte> transaction)
    {
        ChangeLine.WriteTransaction(Begin(_changes), ChangeLine.Added, account, id, default, transaction);
        _count++;
    }

    /// <summary>Adds an account of the whole.</summary>
    public void Add(AccountId account, ReadOnlySpan<byte> json) => ChangeLine.WriteAccount(Begin(_accounts), ChangeLine.Added, account, json);

    private static ArrayBufferWriter<byte> Begin(ArrayBufferWriter<byte> array)
    {
        array.Write(array.WrittenCount == 0 ? "["u8 : ","u8);
        return array;
    }

    private static ReadOnlyMemory<byte> Closed(ArrayBufferWriter<byte> array)
    {
        if (array.WrittenCount == 0)
            return ReadOnlyMemory<byte>.Empty;
        array.Write("]"u8);
        return array.WrittenMemory;
    }
}
