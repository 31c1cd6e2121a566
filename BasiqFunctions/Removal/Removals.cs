using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Removal;

/// <summary>
/// Starts removals of users and connections, at Basiq and here, and waits for them for a while. There is one at a time of a user and one of each
/// connection: who asks for what is under way already, for the same cause, is given that.
/// </summary>
public sealed class Removals(DeletionReceipts receipts, TimeProvider clock)
{
    /// <summary>How long an answer may take.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How long is waited for Basiq's part: a moment longer than a refusal is the answer, so that none is missed.</summary>
    private static readonly TimeSpan PatienceWithBasiq = Patience + TimeSpan.FromSeconds(1);

    /// <summary>How long a removal of the same for another cause is waited for, before this one can start.</summary>
    private static readonly TimeSpan PatienceWithAnother = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan FirstPoll = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromMilliseconds(200);

    /// <summary>The id of the orchestration that removes a user's data, or that of one connection.</summary>
    public static string InstanceIdFor(UserId userId, ConnectionId? connectionId) =>
        $"remove-{Digest(userId)}" + (connectionId is null ? "" : $"-{Digest(connectionId)}");

    /// <summary>Removes everything that is kept of a user, or of one connection.</summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="userId">The user, already validated as an id.</param>
    /// <param name="connectionId">The connection, already validated as an id; null for everything.</param>
    /// <param name="why">Why, and under which consent.</param>
    /// <param name="atBasiq">What is removed at Basiq before.</param>
    /// <exception cref="ProblemException">
    /// Basiq did not remove it, or neither Basiq nor this app has anything of it, and nothing has been removed; or another removal of the same, for
    /// another cause, does not end.
    /// </exception>
    public async Task<RemovalAsked> RunAsync(
        DurableTaskClient client, UserId userId, ConnectionId? connectionId, DeletionCause why, AtBasiq atBasiq = AtBasiq.Nothing)
    {
        ArgumentNullException.ThrowIfNull(client);
        var (asksBasiq, receiptId) = (atBasiq is not AtBasiq.Nothing, Guid.NewGuid().ToString("N"));
        while (true)
        {
            var running = await StartOrFindAsync(client, new RemovalInput(userId, connectionId, why, receiptId, atBasiq, asksBasiq ? clock.GetUtcNow() + Patience : null));
            var isTheSame = running.Cause == why && running.AtBasiq >= atBasiq;
            if (await WaitAsync(client, running, !isTheSame ? PatienceWithAnother : asksBasiq ? PatienceWithBasiq : Patience) is not var (asked, refusal))
                continue;
            if (isTheSame && asksBasiq && refusal is not null)
                throw new ProblemException(refusal.ToProblem());

            // One that another has taken the place of may have been refused, and one that Basiq refused has removed nothing.
            if (isTheSame && refusal is null && !(asksBasiq && asked is { HasEnded: true, Receipt: null }))
                return asked;

            // What has been fetched since that one began is left for this one.
            if (!asked.HasEnded)
                throw new ProblemException(AnotherUnderWay);
        }
    }

    /// <summary>Whether everything of a user is being removed.</summary>
    internal static async Task<bool> IsUnderWayAsync(DurableTaskClient client, UserId userId, CancellationToken cancellation) =>
        await client.GetInstanceAsync(InstanceIdFor(userId, null), cancellation) is { IsCompleted: false };

    private static ProblemResult AnotherUnderWay => Problem.Of(
        StatusCodes.Status504GatewayTimeout, ProblemCodes.Timeout, "Another removal of the same data is still under way: ask again.");

    /// <summary>Starts a removal, or finds the one that is under way. One that has ended makes room: hosts start an id anew then.</summary>
    private static async Task<RemovalInput> StartOrFindAsync(DurableTaskClient client, RemovalInput input)
    {
        var instanceId = InstanceIdFor(input.UserId, input.ConnectionId);
        if (await FindAsync(client, instanceId) is { IsCompleted: false } running)
            return InputOf(running);
        try
        {
            await client.ScheduleNewOrchestrationInstanceAsync(RemovalOrchestration.Name, input, new StartOrchestrationOptions(instanceId), CancellationToken.None);
            return input;
        }
#pragma warning disable CA1031 // Hosts say 'there is one already' with exceptions of their own: whether one runs decides.
        catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
        {
            if (await FindAsync(client, instanceId) is { IsCompleted: false } other)
                return InputOf(other);
            throw;
        }
    }

    /// <summary>Waits for the end of a removal, for a while. Null when another that was started at the same moment runs in its place.</summary>
    private async Task<(RemovalAsked Asked, RemovalRefusal? Refusal)?> WaitAsync(DurableTaskClient client, RemovalInput removal, TimeSpan patience)
    {
        using var end = new CancellationTokenSource(patience, clock);
        var instanceId = InstanceIdFor(removal.UserId, removal.ConnectionId);
        for (var delay = FirstPoll; ; delay = delay * 2 < LongestPoll ? delay * 2 : LongestPoll)
        {
            var found = await FindAsync(client, instanceId);
            if (found is null || InputOf(found).ReceiptId != removal.ReceiptId)
            {
                var receipt = await receipts.FindAsync(removal.UserId, removal.ReceiptId, CancellationToken.None);
                return receipt is null && found is { IsCompleted: false } ? null : (Asked(hasEnded: true, receipt), null);
            }

            if (found.IsCompleted)
            {
                return found.RuntimeStatus is OrchestrationRuntimeStatus.Completed && JsonSerializer.Deserialize<RemovalOutcome>(found.SerializedOutput!) is { } outcome
                    ? (Asked(hasEnded: true, outcome.Receipt), outcome.Refusal)
                    : throw new InvalidOperationException($"The removal '{instanceId}' {found.RuntimeStatus}: the log of the app says why.");
            }

            // Not by the app's clock: this is how often to look, and not how long.
            await Task.Delay(delay, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (end.IsCancellationRequested)
                return (Asked(hasEnded: false, null), null);
        }

        RemovalAsked Asked(bool hasEnded, DeletionReceipt? receipt) => new(removal.UserId, removal.ReceiptId, hasEnded, receipt);
    }

    private static Task<OrchestrationMetadata?> FindAsync(DurableTaskClient client, string instanceId) =>
        client.GetInstanceAsync(instanceId, getInputsAndOutputs: true, CancellationToken.None);

    private static RemovalInput InputOf(OrchestrationMetadata found) => JsonSerializer.Deserialize<RemovalInput>(found.SerializedInput!)!;

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
}

/// <summary>A removal that was asked for, and is durable: it goes on by itself, whatever becomes of who asked.</summary>
/// <param name="UserId">Whose data goes.</param>
/// <param name="ReceiptId">The id of its receipt.</param>
/// <param name="HasEnded">Whether all is gone.</param>
/// <param name="Receipt">The receipt, once it has ended; null then where there was nothing to remove.</param>
public sealed record RemovalAsked(UserId UserId, string ReceiptId, bool HasEnded, DeletionReceipt? Receipt)
{
    /// <summary>Whether something was removed, or may be yet.</summary>
    [JsonIgnore]
    public bool IsAny => !HasEnded || Receipt is not null;
}
