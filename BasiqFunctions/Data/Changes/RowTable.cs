using System.Collections;
using System.Numerics;

namespace BasiqFunctions.Data.Changes;

/// <summary>
/// Transactions to be compared: of each a fingerprint of its id and a hash of its bytes, some 28 bytes. That two ids share a fingerprint of
/// 96 bits (<see cref="Fingerprint"/>), or that a transaction changes into one of the same 64, is too rare to be looked into.
/// </summary>
internal sealed class RowTable
{
    private readonly ulong[] _high;
    private readonly uint[] _low;
    private readonly ulong[] _lines;
    private readonly BitArray _seen;
    private readonly int[] _slots;

    /// <param name="capacity">The most that come in.</param>
    public RowTable(int capacity)
    {
        (_high, _low, _lines, _seen) = (new ulong[capacity], new uint[capacity], new ulong[capacity], new BitArray(capacity));
        _slots = new int[BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, capacity + (capacity / 2)))];
    }

    public int Count { get; private set; }

    /// <summary>How many have been seen.</summary>
    public int Seen { get; private set; }

    /// <summary>Adds a transaction. Of one that is there twice the later one counts.</summary>
    public void Put(Fingerprint id, ulong line)
    {
        var slot = SlotOf(id);
        if (_slots[slot] == 0)
        {
            (_high[Count], _low[Count]) = (id.High, id.Low);
            _slots[slot] = ++Count;
        }

        _lines[_slots[slot] - 1] = line;
    }

    /// <summary>Finds a transaction; -1 when there is none.</summary>
    public int Find(Fingerprint id) => _slots[SlotOf(id)] - 1;

    public bool IsSame(int at, ulong line) => _lines[at] == line;

    public bool IsSeen(int at) => _seen[at];

    public void See(int at)
    {
        if (_seen[at])
            return;
        _seen[at] = true;
        Seen++;
    }

    private int SlotOf(Fingerprint id)
    {
        var mask = _slots.Length - 1;
        var slot = (int)(id.High >> 32) & mask;
        while (_slots[slot] is not 0 and var held && (_high[held - 1] != id.High || _low[held - 1] != id.Low))
            slot = (slot + 1) & mask;
        return slot;
    }
}
