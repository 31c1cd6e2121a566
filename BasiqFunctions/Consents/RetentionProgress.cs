using System.Text;
using BasiqFunctions.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Consents;

/// <summary>How far the daily pass has come: one that a host cuts short is gone on with by the next, so that everybody has a turn.</summary>
public sealed class RetentionProgress([FromKeyedServices(ReceiptOptions.Section)] IRecordTable table)
{
    private const string Partition = "retention";
    private const string Row = "last-looked-after";

    /// <summary>These users, in the order of their ids, beginning after the last one who was looked after and going round.</summary>
    public async Task<IReadOnlyList<string>> OrderAsync(IEnumerable<string> users, CancellationToken cancellation)
    {
        var last = await table.FindAsync(Partition, Row, cancellation) is { } found ? Encoding.UTF8.GetString(found.Content) : "";
        var turns = users.Order(StringComparer.Ordinal).ToLookup(userId => string.CompareOrdinal(userId, last) > 0);
        return [.. turns[true], .. turns[false]];
    }

    /// <summary>Writes down that users up to this one have been looked after.</summary>
    public Task NoteAsync(string userId, CancellationToken cancellation) =>
        table.PutAsync(new TableRecord(Partition, Row, Encoding.UTF8.GetBytes(userId)), cancellation);
}
