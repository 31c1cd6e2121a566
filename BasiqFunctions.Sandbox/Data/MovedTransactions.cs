using BasiqFunctions.Sandbox.Control;

namespace BasiqFunctions.Sandbox.Data;

/// <summary>What a refresh finds at the bank, fixed when its job is made.</summary>
/// <param name="New">Transactions of the day.</param>
/// <param name="BackDated">Transactions that the bank posts late.</param>
/// <param name="BackDatedDays">How many days ago those are.</param>
/// <param name="Edited">Posted transactions that the bank words anew.</param>
/// <param name="Known">How many posted transactions there were, of which those are the newest.</param>
internal sealed record Movement(int New, int BackDated, int BackDatedDays, int Edited, int Known);

/// <summary>
/// The transactions of an account at whose bank something happened between refreshes: what was pending is posted under a new id,
/// purchases appear, some of them with an earlier day, and posted ones change their words. Everything follows from the
/// movements, so nothing of it is kept; ids stay with their transactions.
/// </summary>
internal sealed class MovedTransactions : TransactionSource
{
    private const ulong MovedBit = 1UL << 62;
    private const int NewestToEdit = 100;
    private const int PendingOfEach = 3;

    private readonly TransactionSource _before;
    private readonly ulong _key;
    private readonly int _movements;
    private readonly int _today;
    private readonly Dictionary<int, int> _edits = [];
    private readonly (Entry Entry, ulong Stable)[] _moved;
    private readonly int[] _numbers;
    private readonly Dictionary<ulong, int> _numberOf = [];

    /// <param name="before">What there was without the movements.</param>
    /// <param name="key">What every chance is derived from.</param>
    /// <param name="movements">Oldest first, each with its day.</param>
    public MovedTransactions(TransactionSource before, ulong key, IReadOnlyList<(Movement Movement, int Day)> movements)
    {
        (_before, _key, _movements, _today) = (before, key, movements.Count, movements[^1].Day);
        List<(int Day, long Amount, Narration Narration)> moved = [];
        for (var turn = 1; turn <= movements.Count; turn++)
        {
            var (movement, day) = movements[turn - 1];
            for (var i = 0; i < PendingAfter(turn - 1); i++)
            {
                var settled = PendingAfter(turn - 1, i);
                moved.Add((day, settled.Amount, settled.Narration));
            }

            for (var i = 0; i < movement.New + movement.BackDated; i++)
                moved.Add((i < movement.New ? day : day - movement.BackDatedDays, -AmountOf(turn, i), NarrationOf(turn, i)));
            for (var i = 0; i < Math.Min(movement.Edited, Math.Min(movement.Known, before.Posted)); i++)
            {
                var newest = Math.Min(movement.Known, before.Posted);
                var number = newest - 1 - (int)(Mixed(turn, -1 - i) % (ulong)Math.Min(newest, NewestToEdit));
                _edits[number] = _edits.GetValueOrDefault(number) + 1;
            }
        }

        var balance = before.Closing;
        _moved = [.. moved
            .Select((transaction, arrival) => (transaction, arrival))
            .OrderBy(x => x.transaction.Day)
            .Select(x => (new Entry(x.transaction.Day, x.transaction.Amount, balance += x.transaction.Amount, x.transaction.Narration), MovedBit | (uint)x.arrival))];
        Closing = balance;
        _numbers = new int[_moved.Length];
        for (var i = 0; i < _moved.Length; i++)
        {
            _numbers[i] = FirstAfter(_moved[i].Entry.Day) + i;
            _numberOf.Add(_moved[i].Stable, _numbers[i]);
        }
    }

    public override int Posted => _before.Posted + _moved.Length;

    public override int Pending => PendingAfter(_movements);

    public override long Closing { get; }

    public override int DayOf(int number) => MovedAt(number) is >= 0 and var at ? _moved[at].Entry.Day : _before.DayOf(NumberBefore(number));

    public override Entry PostedAt(int number)
    {
        if (MovedAt(number) is >= 0 and var at)
            return _moved[at].Entry;
        var before = NumberBefore(number);
        var entry = _before.PostedAt(before);
        return _edits.TryGetValue(before, out var times) ? entry with { Narration = NarrationOf(-times, before) } : entry;
    }

    public override Entry PendingAt(int number) => PendingAfter(_movements, number);

    public override ulong StableOf(int number) =>
        MovedAt(number) is >= 0 and var at ? _moved[at].Stable : _before.StableOf(NumberBefore(number));

    public override int NumberOf(ulong stable)
    {
        if ((stable & MovedBit) != 0)
            return _numberOf.GetValueOrDefault(stable, -1);
        var before = _before.NumberOf(stable);
        if (before < 0)
            return -1;

        // Of those that moved, each one that comes before pushes it on by one.
        var (low, high) = (0, _moved.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_numbers[middle] - middle <= before)
                low = middle + 1;
            else
                high = middle;
        }

        return before + low;
    }

    private int PendingAfter(int turn) => turn == 0 || _before.Pending == 0 ? _before.Pending : PendingOfEach;

    private Entry PendingAfter(int turn, int i) => turn == 0
        ? _before.PendingAt(i)
        : new Entry(_today, -AmountOf(turn, -1_000 - i), Closing, NarrationOf(turn, -1_000 - i));

    private int MovedAt(int number) => Array.BinarySearch(_numbers, number);

    private int NumberBefore(int number) => number - ~Array.BinarySearch(_numbers, number);

    /// <summary>The first of what there was whose day is later.</summary>
    private int FirstAfter(int day)
    {
        var (low, high) = (0, _before.Posted);
        while (low < high)
        {
            var middle = (int)(((uint)low + (uint)high) / 2);
            if (_before.DayOf(middle) <= day)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    private ulong Mixed(int turn, int i) => Chance.Mix(Chance.Mix(_key, (ulong)(uint)turn), (ulong)(uint)i);

    private long AmountOf(int turn, int i) => Chance.Between(Mixed(turn, i), 350, 14_999);

    private Narration NarrationOf(int turn, int i) => Narrations.Spending[Mixed(turn, i) % (ulong)Narrations.Spending.Length];
}
