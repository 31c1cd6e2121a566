namespace BasiqFunctions.Platform.Records;

/// <summary>What can be due.</summary>
internal static class DueKinds
{
    /// <summary>Asking Basiq how a user's consents stand.</summary>
    public const string ConsentCheck = "consent-check";

    /// <summary>Looking whether something of a user has been kept as long as it may be.</summary>
    public const string Age = "age";

    /// <summary>Looking for what crashed syncs of a user left, for changes that are not kept any more, and for reads that nobody goes on with.</summary>
    public const string Leftover = "leftover";

    /// <summary>Removing a record that has expired: a receipt, an answer for repetitions.</summary>
    public const string RecordEnd = "record-end";

    /// <summary>Those that are about a user.</summary>
    public static readonly IReadOnlyList<string> OfUser = [ConsentCheck, Age, Leftover];
}
