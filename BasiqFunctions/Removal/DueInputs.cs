using BasiqFunctions.Platform.Notices;

namespace BasiqFunctions.Removal;

/// <summary>A part of a daily pass: some of the shards, one after the other.</summary>
/// <param name="Days">The days whose work is done.</param>
/// <param name="From">The first shard.</param>
/// <param name="To">The one after the last.</param>
/// <param name="At">The shard that comes next.</param>
/// <param name="BeginsAt">When the pass began.</param>
/// <param name="SpreadOver">Over how long it spreads its calls to Basiq.</param>
/// <param name="Done">What was done so far.</param>
public sealed record DueWalk(IReadOnlyList<string> Days, int From, int To, int At, DateTime BeginsAt, TimeSpan SpreadOver, RetentionPass Done)
{
    /// <summary>When the next shard's turn is.</summary>
    internal DateTime NextAt => BeginsAt + (SpreadOver * ((double)(At - From) / (To - From)));
}

/// <summary>What one activity of a daily pass is given: it does some of the work of these days, of one shard and those behind it.</summary>
/// <param name="Days">The days.</param>
/// <param name="Shard">The shard.</param>
/// <param name="To">The shard to which it does not come.</param>
public sealed record DueSlice(IReadOnlyList<string> Days, int Shard, int To);

/// <summary>What one activity of a daily pass has done.</summary>
/// <param name="Shard">The shard to go on with.</param>
/// <param name="Done">What came of it.</param>
/// <param name="Notices">What the team's backend is to be told; null of one that ran under an earlier version.</param>
public sealed record DueSliceDone(int Shard, RetentionPass Done, IReadOnlyList<Notice>? Notices = null);

/// <summary>How a daily pass begins.</summary>
/// <param name="Days">The days whose work is due; null when the clock is not confirmed, so that nobody knows what day it is.</param>
/// <param name="SpreadOver">Over how long it spreads its calls to Basiq.</param>
/// <param name="HasSeed">Whether everybody has been written down of whom something was kept before there were dates.</param>
public sealed record DuePassBegun(IReadOnlyList<string>? Days, TimeSpan SpreadOver, bool HasSeed);

/// <summary>How far those have been written down of whom something was kept before there were dates.</summary>
/// <param name="Next">What to go on with; null for the beginning.</param>
public sealed record DueSeed(string? Next);

/// <summary>How a daily pass has ended.</summary>
/// <param name="Days">The days whose work it has done.</param>
/// <param name="Done">What came of it.</param>
public sealed record DuePassDone(IReadOnlyList<string> Days, RetentionPass Done);

/// <summary>What a daily pass did, or a part of one.</summary>
/// <param name="Users">Users that were checked.</param>
/// <param name="Removed">Of them, those of whom data was removed.</param>
/// <param name="Failed">Of them, those whose check failed; they are checked again on the next day.</param>
/// <param name="Absent">Of them, those of whom Basiq has nothing and whose data stays for now.</param>
public sealed record RetentionPass(int Users, int Removed, int Failed, int Absent = 0)
{
    internal RetentionPass Plus(RetentionPass other) =>
        new(Users + other.Users, Removed + other.Removed, Failed + other.Failed, Absent + other.Absent);
}
