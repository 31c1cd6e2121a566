namespace BasiqFunctions.Data.Exports;

/// <summary>
/// Takes in what a format writes, in bits and without waiting, and passes it on in one write at a time. It cannot be sought in, so that a format
/// counts for itself what it has written.
/// </summary>
internal sealed class ExportBuffer : MemoryStream
{
    public override bool CanSeek => false;

    public async Task DrainAsync(Stream target, CancellationToken cancellationToken)
    {
        await target.WriteAsync(GetBuffer().AsMemory(0, (int)Length), cancellationToken);
        SetLength(0);
    }
}
