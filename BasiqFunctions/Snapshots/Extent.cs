namespace BasiqFunctions.Snapshots;

/// <summary>
/// What a page or a segment spans: enough to tell without reading it that none, or that all, of it matches a filter.
/// </summary>
/// <param name="Count">Transactions.</param>
/// <param name="MinDay">The earliest day as yyyyMMdd; 0 when none is dated.</param>
/// <param name="MaxDay">The latest day.</param>
/// <param name="Pending">How many are pending.</param>
/// <param name="Posted">How many are posted.</param>
/// <param name="Undated">How many have no date.</param>
internal readonly record struct Extent(int Count, int MinDay, int MaxDay, int Pending, int Posted, int Undated)
{
    public Extent Add(in TransactionFacts facts) => Add(new Extent(
        1,
        facts.Day,
        facts.Day,
        facts.Status == TransactionStatus.Pending ? 1 : 0,
        facts.Status == TransactionStatus.Posted ? 1 : 0,
        facts.Day == 0 ? 1 : 0));

    public Extent Add(in Extent other) => new(
        Count + other.Count,
        MinDay == 0 ? other.MinDay : other.MinDay == 0 ? MinDay : Math.Min(MinDay, other.MinDay),
        Math.Max(MaxDay, other.MaxDay),
        Pending + other.Pending,
        Posted + other.Posted,
        Undated + other.Undated);

    /// <summary>
    /// What is known of the extent where days are counted otherwise than when it was made (another time zone, or as they are written):
    /// they are two days away at most, and which of the transactions are in a range takes a look at each.
    /// </summary>
    public Extent UnderOtherDays() => this with { MinDay = Move(MinDay, -2), MaxDay = Move(MaxDay, 2), Undated = Math.Max(1, Undated) };

    public static DateOnly? ToDate(int day) => day == 0 ? null : new DateOnly(day / 10000, day / 100 % 100, day % 100);

    private static int Move(int day, int by)
    {
        if (ToDate(day) is not { } date)
            return day;
        var moved = DateOnly.FromDayNumber(Math.Clamp(date.DayNumber + by, DateOnly.MinValue.DayNumber, DateOnly.MaxValue.DayNumber));
        return (moved.Year * 10000) + (moved.Month * 100) + moved.Day;
    }
}
