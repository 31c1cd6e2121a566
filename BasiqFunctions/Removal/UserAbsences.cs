using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Removal;

/// <summary>
/// Keeps of which users Basiq has nothing, and since when. A note goes when Basiq has something of the user again, and with what else is
/// kept of the user.
/// </summary>
public sealed class UserAbsences([FromKeyedServices(ReceiptOptions.Section)] IRecordTable table, TimeProvider clock) : IUserRecords
{
    private const string Partition = "absent";

    /// <inheritdoc />
    public Task RemoveUserAsync(UserId userId, CancellationToken cancellation) => ClearAsync(userId, cancellation);

    /// <summary>Everybody of whom Basiq had nothing at the last look.</summary>
    internal async Task<IReadOnlyList<UserAbsence>> ListAsync(CancellationToken cancellation)
    {
        List<UserAbsence> absences = [];
        await foreach (var record in table.ListAllAsync(Partition, cancellation))
        {
            // What is damaged says only who it is: missed as of now, and so looked for again.
            var absence = record.Damage is null ? record.Read<UserAbsence>() : new UserAbsence(new(record.Row), EnforcementOutcome.UserUnknown, clock.GetUtcNow());
            if (record.Damage is not null)
                await table.PutAsync(new TableRecord(Partition, record.Row, absence.ToContent()), cancellation);
            absences.Add(absence);
        }

        return absences;
    }

    /// <summary>Notes that Basiq has nothing of a user. Where it said the same before, that note stands.</summary>
    internal async Task<UserAbsence> NoteAsync(UserAbsence absence, CancellationToken cancellation)
    {
        if (await table.FindAsync(Partition, absence.UserId, cancellation) is { } found
            && found.Read<UserAbsence>() is var earlier
            && earlier.Outcome == absence.Outcome)
            return earlier;
        await table.PutAsync(
            new TableRecord(Partition, absence.UserId, absence.ToContent()), cancellation);
        return absence;
    }

    /// <summary>Notes that somebody has confirmed absences; that of a user who is back meanwhile is gone.</summary>
    internal async Task ConfirmAsync(Predicate<UserAbsence> isMeant, CancellationToken cancellation)
    {
        await foreach (var record in table.ListAllAsync(Partition, cancellation))
        {
            if (record.Damage is null && record.Read<UserAbsence>() is { IsConfirmed: false } absence && isMeant(absence))
                await table.TryReplaceAsync(record with { Content = (absence with { IsConfirmed = true }).ToContent() }, cancellation);
        }
    }

    /// <summary>Takes the note back.</summary>
    internal Task ClearAsync(UserId userId, CancellationToken cancellation) => table.RemoveAsync(Partition, userId, cancellation);
}

/// <summary>That Basiq had nothing of a user of whom something is kept here.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Outcome">How Basiq said so: it does not know the user, or lists nothing of them.</param>
/// <param name="Since">When it first did; it has said so at every look since.</param>
/// <param name="IsConfirmed">Whether somebody has confirmed that the user is gone.</param>
internal sealed record UserAbsence(
    [property: JsonPropertyName("userId")] UserId UserId,
    [property: JsonPropertyName("outcome")] EnforcementOutcome Outcome,
    [property: JsonPropertyName("since")] DateTimeOffset Since,
    [property: JsonPropertyName("isConfirmed")] bool IsConfirmed = false)
{
    /// <summary>Why what is kept of the user goes, once it is settled that Basiq has nothing of them.</summary>
    [JsonIgnore]
    public DeletionCause Cause =>
        new(Outcome is EnforcementOutcome.UserUnknown ? DeletionReason.UserDeleted : DeletionReason.ConsentRevoked);
}
