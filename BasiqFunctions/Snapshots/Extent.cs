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

    public static DateOnly? ToDate(int day) => day == 0 ? null : new DateOnly(day / 10000, day / 100 % 100, day % 100);
}
