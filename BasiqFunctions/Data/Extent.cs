namespace BasiqFunctions.Data;

/// <summary>
/// What a page or a segment spans: enough to tell without reading it that none, or that all, of it matches a filter.
/// </summary>
/// <param name="Count">Transactions.</param>
/// <param name="MinDay">The earliest day as yyyyMMdd; 0 when none is dated.</param>
/// <param name="MaxDay">The latest day.</param>
/// <param name="Pending">How many are pending.</param>
/// <param name="Posted">How many are posted.</param>
/// <param name="Undated">How many have no date.</param>
/// <param name="Odd">How many are <see cref="TransactionFacts.IsOdd"/>.</param>
/// <param name="MinPostDay">The earliest day of a posted one; 0 when there is none.</param>
/// <param name="MaxPostDay">The latest day of a posted one.</param>
internal readonly record struct Extent(
    int Count, int MinDay, int MaxDay, int Pending, int Posted, int Undated, int Odd = 0, int MinPostDay = 0, int MaxPostDay = 0)
{
    public Extent Add(in TransactionFacts facts) => Add(new Extent(
        1,
        facts.Day,
        facts.Day,
        facts.Status == TransactionStatus.Pending ? 1 : 0,
        facts.Status == TransactionStatus.Posted ? 1 : 0,
        facts.Day == 0 ? 1 : 0,
        facts.IsOdd ? 1 : 0,
        facts.IsPosted ? facts.Day : 0,
        facts.IsPosted ? facts.Day : 0));

    public Extent Add(in Extent other) => new(
        Count + other.Count,
        Earliest(MinDay, other.MinDay),
        Math.Max(MaxDay, other.MaxDay),
        Pending + other.Pending,
        Posted + other.Posted,
        Undated + other.Undated,
        Odd + other.Odd,
        Earliest(MinPostDay, other.MinPostDay),
        Math.Max(MaxPostDay, other.MaxPostDay));

    /// <summary>
    /// What is known of the extent where days are counted otherwise than when it was made (another time zone, or as they are written):
    /// they are two days away at most, and which of the transactions are in a range takes a look at each.
    /// </summary>
    public Extent UnderOtherDays() => this with { MinDay = Move(MinDay, -2), MaxDay = Move(MaxDay, 2), Undated = Math.Max(1, Undated) };

    public static DateOnly? ToDate(int day) => day == 0 ? null : new DateOnly(day / 10000, day / 100 % 100, day % 100);

    public static int ToDay(DateOnly date) => (date.Year * 10000) + (date.Month * 100) + date.Day;

    private static int Earliest(int day, int other) => day == 0 ? other : other == 0 ? day : Math.Min(day, other);

    private static int Move(int day, int by)
    {
        if (ToDate(day) is not { } date)
            return day;
        return ToDay(DateOnly.FromDayNumber(Math.Clamp(date.DayNumber + by, DateOnly.MinValue.DayNumber, DateOnly.MaxValue.DayNumber)));
    }
}
