namespace BasiqFunctions.Data.Changes;

/// <summary>A place in a user's feed: where in the parts, or where in the whole with which it begins.</summary>
/// <param name="FeedId">The feed, <see cref="ManifestFeed.Id"/>.</param>
/// <param name="Part">The part that comes next; behind the whole the first that it does not have in it.</param>
/// <param name="Line">How much of that part has been read.</param>
/// <param name="Whole">Where in the whole; null behind it.</param>
internal sealed record ChangePosition(string FeedId, long Part, long Line = 0, WholePosition? Whole = null);

/// <summary>A place in a user's transactions.</summary>
/// <param name="ReadId">The note by which they are held.</param>
/// <param name="Account">The account's place in it.</param>
/// <param name="Segment">The segment's place.</param>
/// <param name="Page">The page's.</param>
/// <param name="Row">The transaction's.</param>
internal sealed record WholePosition(string ReadId, int Account, int Segment, int Page, int Row);
