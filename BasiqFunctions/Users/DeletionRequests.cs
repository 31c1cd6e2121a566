using BasiqFunctions.Platform.Records;
using BasiqFunctions.Removal;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Users;

/// <summary>
/// Keeps for a day that a user whom Basiq had was to be deleted. Whoever asks again after an interruption, when Basiq no longer knows the
/// user, is believed, also where no other user is there to show that the API key is the right one.
/// </summary>
public sealed class DeletionRequests([FromKeyedServices(ReceiptOptions.Section)] IRecordTable table, TimeProvider clock) : IUserRecords
{
    private const string Partition = "deleting";
    private static readonly TimeSpan KeepFor = TimeSpan.FromDays(1);

    /// <inheritdoc />
    public Task RemoveUserAsync(string userId, CancellationToken cancellation) => table.RemoveAsync(Partition, userId, cancellation);

    internal Task NoteAsync(string userId, CancellationToken cancellation) =>
        table.PutAsync(new TableRecord(Partition, userId, []) { ExpiresAt = clock.GetUtcNow() + KeepFor }, cancellation);

    internal async Task<bool> IsNotedAsync(string userId, CancellationToken cancellation) =>
        (await table.FindAsync(Partition, userId, cancellation))?.IsLiveAt(clock.GetUtcNow()) is true;
}
