using System.Collections.Concurrent;
using System.Text.Json;

namespace BasiqFunctions.Sandbox.Control;

/// <summary>Counts requests by endpoint and by status, visits to banks, and pages of transactions by account and offset.</summary>
internal sealed class Stats
{
    private readonly ConcurrentDictionary<string, Counter> _requests = new(StringComparer.Ordinal);
    private readonly Counter _askedVisits = new();
    private readonly Counter _backgroundVisits = new();
    private readonly long[] _statuses = new long[600];
    private readonly ConcurrentDictionary<(string Account, long Offset), Counter> _pages = new();
    private long _transactionBytes;

    /// <summary>The counter of a name, always the same one; shown once it has counted something.</summary>
    public Counter CounterOf(string name) => _requests.GetOrAdd(name, static _ => new Counter());

    public void CountStatus(int status)
    {
        if ((uint)status < (uint)_statuses.Length)
            Interlocked.Increment(ref _statuses[status]);
    }

    /// <summary>Counts that a bank was asked for a connection's data.</summary>
    /// <param name="isBackground">Whether by itself, and not because somebody asked for it.</param>
    public void CountVisit(bool isBackground) => (isBackground ? _backgroundVisits : _askedVisits).Increment();

    /// <summary>Counts the bytes of a page of transactions.</summary>
    public void CountTransactionBytes(long bytes) => Interlocked.Add(ref _transactionBytes, bytes);

    /// <param name="account">The account the page was asked of.</param>
    /// <param name="offset">How many of the account's transactions, newest first, come before the page.</param>
    public void CountPage(string account, long offset) => _pages.GetOrAdd((account, offset), static _ => new Counter()).Increment();

    public void Reset()
    {
        foreach (var counter in _requests.Values)
            counter.Reset();
        for (var status = 0; status < _statuses.Length; status++)
            Interlocked.Exchange(ref _statuses[status], 0);
        _pages.Clear();
        _askedVisits.Reset();
        _backgroundVisits.Reset();
        Interlocked.Exchange(ref _transactionBytes, 0);
    }

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("requests"u8);
        foreach (var (name, counter) in _requests.OrderBy(r => r.Key, StringComparer.Ordinal))
        {
            if (counter.Value is > 0 and var count)
                writer.WriteNumber(name, count);
        }

        writer.WriteEndObject();
        writer.WriteStartObject("statuses"u8);
        for (var status = 0; status < _statuses.Length; status++)
        {
            if (Interlocked.Read(ref _statuses[status]) is > 0 and var count)
                writer.WriteNumber(status.ToString("D3", null), count);
        }

        writer.WriteEndObject();
        writer.WriteStartObject("bankVisits"u8);
        writer.WriteNumber("asked"u8, _askedVisits.Value);
        writer.WriteNumber("background"u8, _backgroundVisits.Value);
        writer.WriteEndObject();
        writer.WriteNumber("transactionBytes"u8, Interlocked.Read(ref _transactionBytes));
        writer.WriteStartObject("pages"u8);
        foreach (var account in _pages.GroupBy(p => p.Key.Account).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            writer.WriteStartObject(account.Key);
            foreach (var page in account.OrderBy(p => p.Key.Offset))
                writer.WriteNumber(page.Key.Offset.ToString("D", null), page.Value.Value);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>Also the metadata of an endpoint: how a request finds what to count it under.</summary>
    internal sealed class Counter
    {
        private long _value;

        public long Value => Interlocked.Read(ref _value);

        public void Increment() => Interlocked.Increment(ref _value);

        public void Reset() => Interlocked.Exchange(ref _value, 0);
    }
}
