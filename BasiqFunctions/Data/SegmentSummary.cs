namespace BasiqFunctions.Data;

/// <summary>
/// What one segment holds: counts and dates only, nothing personal, so it may cross into orchestration history.
/// </summary>
/// <param name="Attempt">Which of the attempts to write the segment this was; a publication names it.</param>
/// <param name="Count">Transactions.</param>
/// <param name="Pages">Pages, as they were appended.</param>
/// <param name="MinDate">The earliest date of a dated transaction; null when none is dated.</param>
/// <param name="MaxDate">The latest one.</param>
/// <param name="Bytes">The blob's length.</param>
/// <param name="Pending">How many transactions are pending.</param>
public sealed record SegmentSummary(
    string Attempt, int Count, int Pages, DateOnly? MinDate, DateOnly? MaxDate, long Bytes, int Pending);
