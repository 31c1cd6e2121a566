using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Consents;

/// <summary>Keeps Basiq's warnings that a consent is about to end, for ListConsents.</summary>
public sealed class ConsentWarnings([FromKeyedServices(ReceiptOptions.Section)] IRecordTable table, TimeProvider clock) : IUserRecords
{
    // Basiq warns days before the end, and no consent lasts longer than a year.
    private static readonly TimeSpan KeepFor = TimeSpan.FromDays(366);

    /// <summary>Notes a warning; a later one of the same consent takes its place.</summary>
    /// <param name="userId">The user, already validated as an id.</param>
    /// <param name="consentId">The consent, already validated as an id.</param>
    /// <param name="warnedAt">When Basiq warned.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public Task NoteAsync(UserId userId, string consentId, DateTimeOffset warnedAt, CancellationToken cancellation) => table.PutAsync(
        new TableRecord(
            PartitionOf(userId), consentId, new ConsentWarning(consentId, warnedAt).ToContent())
        {
            ExpiresAt = clock.GetUtcNow() + KeepFor,
        },
        cancellation);

    /// <summary>When Basiq warned, by consent.</summary>
    public async Task<IReadOnlyDictionary<string, DateTimeOffset>> ListAsync(UserId userId, CancellationToken cancellation)
    {
        Dictionary<string, DateTimeOffset> warnings = new(StringComparer.Ordinal);
        await foreach (var record in table.ListAllAsync(PartitionOf(userId), cancellation))
        {
            if (record.IsLiveAt(clock.GetUtcNow()))
                warnings[record.Row] = record.Read<ConsentWarning>().WarnedAt;
        }

        return warnings;
    }

    /// <inheritdoc />
    public Task RemoveUserAsync(UserId userId, CancellationToken cancellation) => table.RemovePartitionAsync(PartitionOf(userId), cancellation);

    private static string PartitionOf(UserId userId) => $"warned-{userId}";
}

/// <summary>That Basiq warned of the end of a consent.</summary>
/// <param name="ConsentId">The consent.</param>
/// <param name="WarnedAt">When it did.</param>
internal sealed record ConsentWarning(
    [property: JsonPropertyName("consentId")] string ConsentId, [property: JsonPropertyName("warnedAt")] DateTimeOffset WarnedAt);
