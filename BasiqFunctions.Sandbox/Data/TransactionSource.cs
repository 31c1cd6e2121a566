using BasiqFunctions.Sandbox.Control;

namespace BasiqFunctions.Sandbox.Data;

/// <summary>One transaction: amounts in cents, the day as <see cref="DateOnly.DayNumber"/>.</summary>
internal readonly record struct Entry(int Day, long Amount, long Balance, Narration Narration);

/// <summary>
/// The transactions of one account. Posted ones are numbered from the oldest, so that a number stays with its transaction
/// when newer ones arrive; days never fall as numbers rise.
/// </summary>
internal abstract class TransactionSource
{
    public abstract int Posted { get; }

    public abstract int Pending { get; }

    /// <summary>What the posted transactions leave on the account, in cents.</summary>
    public abstract long Closing { get; }

    public abstract int DayOf(int number);

    public abstract Entry PostedAt(int number);

    public abstract Entry PendingAt(int number);

    /// <summary>A number that stays with a posted transaction whatever comes before or after it; <see cref="NumberOf"/> undoes it.</summary>
    public virtual ulong StableOf(int number) => (uint)number;

    /// <summary>The number of a posted transaction by its stable one; -1 when there is none.</summary>
    public virtual int NumberOf(ulong stable) => stable < (ulong)Posted ? (int)stable : -1;

    public long PendingTotal
    {
        get
        {
            long total = 0;
            for (var i = 0; i < Pending; i++)
                total += PendingAt(i).Amount;
            return total;
        }
    }
}

/// <summary>A list that was worked out beforehand.</summary>
internal sealed class ListedTransactions(Entry[] posted, Entry[] pending, long closing) : TransactionSource
{
    public static readonly ListedTransactions None = new([], [], 0);

    public override int Posted => posted.Length;

    public override int Pending => pending.Length;

    public override long Closing => closing;

    public override int DayOf(int number) => posted[number].Day;

    public override Entry PostedAt(int number) => posted[number];

    public override Entry PendingAt(int number) => pending[number];
}

/// <summary>
/// Any number of transactions over the year before a day, each a function of its number, so that the last page costs no
/// more than the first and none is kept. They come in rounds: a pay, then spending that uses it up, so that the balance after
/// any of them is known from its round alone.
/// </summary>
internal sealed class GeneratedTransactions : TransactionSource
{
    private const int Round = 24;
    private const int DaysOfData = 365;
    private const int PendingOfMany = 3;
    private const int Many = 100;

    private readonly ulong _key;
    private readonly int _lastDay;
    private readonly long _opening;

    public GeneratedTransactions(ulong key, int count, int asOfDay, long opening)
    {
        _key = key;
        _lastDay = asOfDay - 1;
        _opening = opening;
        Pending = count >= Many ? PendingOfMany : 0;
        Posted = count - Pending;
        Closing = Posted == 0 ? opening : PostedAt(Posted - 1).Balance;
    }

    public override int Posted { get; }

    public override int Pending { get; }

    public override long Closing { get; }

    public override int DayOf(int number) => _lastDay - (int)((long)(Posted - 1 - number) * DaysOfData / Posted);

    public override Entry PostedAt(int number)
    {
        var first = number - (number % Round);
        long pay = 0;
        for (var i = first + 1; i < first + Round; i++)
            pay += Spent(i);
        if (number == first)
            return new Entry(DayOf(number), pay, _opening + pay, Narrations.Salary);
        var balance = _opening + pay;
        for (var i = first + 1; i <= number; i++)
            balance -= Spent(i);
        return new Entry(DayOf(number), -Spent(number), balance, NarrationOf((ulong)number));
    }

    public override Entry PendingAt(int number)
    {
        var index = int.MaxValue - number;
        return new Entry(_lastDay + 1, -Spent(index), Closing, NarrationOf((ulong)index));
    }

    private long Spent(int number) => Chance.Between(Chance.Mix(_key, (ulong)number), 350, 14_999);

    private Narration NarrationOf(ulong number) =>
        Narrations.Spending[Chance.Mix(_key ^ 0x5DEECE66D, number) % (ulong)Narrations.Spending.Length];
}
