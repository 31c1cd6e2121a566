
namespace BasiqFunctions.Platform.Records;

/// <summary>Something that is due: the row says what, and for whom.</summary>
internal sealed record DueItem(TableRecord Record)
{
    public string Kind => Record.Row[..Record.Row.IndexOf('.', StringComparison.Ordinal)];

    /// <summary>The user; of the end of a record no more than a name.</summary>
    public string Subject => Record.Row[(Record.Row.IndexOf('.', StringComparison.Ordinal) + 1)..];

    public bool IsOfUser => DueKinds.OfUser.Contains(Kind);

    public string Day => Record.Partition[..Record.Partition.IndexOf('-', StringComparison.Ordinal)];
}
