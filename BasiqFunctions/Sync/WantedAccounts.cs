using System.Runtime.InteropServices;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Sync;

/// <summary>Which of the accounts that Basiq lists a sync takes.</summary>
/// <remarks>
/// Basiq may go on listing the accounts of a connection that was deleted, and of one that has ended and was made anew. What was removed
/// here stays removed, unless a job that succeeded names the connection and Basiq lists it as one that there is; and an account that
/// is there anew (<see cref="MadeAnew"/>) is not taken a second time. The other way round, an account that the list lacks is not gone
/// for that: lists may be odd for once. It is when two lists lack it, <see cref="BetweenLooks"/> apart by a clock that is confirmed, and
/// Basiq does not know the account itself either.
/// </remarks>
public sealed class WantedAccounts(
    IBasiqClient basiq, SnapshotReader snapshots, ClockCheck clockCheck, TimeProvider clock, ILogger<WantedAccounts> logger)
{
    /// <summary>So long after a list lacked an account for the first time, another that lacks it may say that the account is gone.</summary>
    internal static readonly TimeSpan BetweenLooks = TimeSpan.FromHours(20);

    /// <summary>Reads the list and chooses.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="named">The connections that the jobs name; null when one of them names none, which vouches for all.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="BasiqException">Basiq could not be asked.</exception>
    public async Task<WantedAccountList> ListAsync(UserId userId, IReadOnlyCollection<ConnectionId>? named, CancellationToken cancellation)
    {
        Dictionary<string, int> skipped = [];
        Dictionary<AccountId, Listed> listed = [];
        foreach (var record in await basiq.ListAccountsAsync(userId, cancellation))
        {
            AccountId? id = IdIn(record, "id") is { } account ? new(account) : null;
            ConnectionId? connectionId = IdIn(record, "connection") is { } connection ? new(connection) : null;
            if (id is null && IsNamed(connectionId))
                Skip("malformed-id");
            else if (id is not null && connectionId is null)
                Skip("malformed-connection");
            else if (id is not null && (!listed.TryGetValue(id, out var before) || !IsNamed(before.Facts.ConnectionId)))
                listed[id] = Listed.Of(id, connectionId!, record);
        }

        var (kept, removed) = await KeptAsync(userId, cancellation);
        Listed[] wanted = [.. listed.Values.Where(account => IsNamed(account.Facts.ConnectionId))];
        var standing = Standing();
        var twice = AreTwice(_ => true);
        var there = twice.Count > 0 || removed.Any(id => named?.Contains(id) is true)
            ? await ConnectionsThereAsync(userId, twice, cancellation)
            : new HashSet<ConnectionId>();
        ConnectionId[] ended = [.. AreTwice(there.Contains).Where(id => !there.Contains(id))];
        var stay = removed.Where(id => named is null || !there.Contains(id)).ToHashSet();

        Listed[] current = [.. wanted.Where(account => !stay.Contains(account.Facts.ConnectionId))];
        var anew = MadeAnew.Pairs(
            current.Select(account => account.Facts).Where(facts => ended.Contains(facts.ConnectionId)),
            standing.Where(facts => there.Contains(facts.ConnectionId))).Select(pair => pair.Old).ToHashSet();
        current = [.. current.Where(account => !anew.Contains(account.Facts.AccountId))];
        return new WantedAccountList(
            [.. current.Select(account => account.Raw)],
            [.. (named?.Except(stay).Except(ended) ?? []).Union(current.Select(account => account.Facts.ConnectionId))],
            new AccountListing([.. listed.Values.Select(account => account.Facts.ConnectionId).Distinct()], ended, skipped.Count == 0)
            {
                GoneAccounts = skipped.Count == 0 ? await GoneAsync() : [],
                ReadAt = clockCheck.IsConfirmed ? clock.GetUtcNow() : null,
            },
            [.. skipped.Select(reason => new SkippedAccounts(reason.Key, reason.Value))]);

        // What has no connection that can be read may be any connection's.
        bool IsNamed(ConnectionId? connectionId) => connectionId is null || named is null || named.Contains(connectionId);

        void Skip(string reason) => CollectionsMarshal.GetValueRefOrAddDefault(skipped, reason, out _)++;

        async Task<IReadOnlyList<AccountId>> GoneAsync()
        {
            SnapshotAccount[] missing = [.. kept.Where(account => IsNamed(account.ConnectionId) && !listed.ContainsKey(account.AccountId))];
            if (missing.Length > 0)
                Log.AccountsMissing(logger, missing.Length, userId);
            List<AccountId> gone = [];
            foreach (var account in missing.Where(account => account.MissingSince + BetweenLooks <= clock.GetUtcNow() && clockCheck.IsConfirmed))
            {
                if (!await IsThereAsync(userId, account.AccountId, cancellation))
                    gone.Add(account.AccountId);
            }

            return gone;
        }

        // What is kept and what this sync brings. Of an account that is kept and listed, the list has the news.
        AccountFacts[] Standing()
        {
            var ids = kept.Select(account => account.AccountId).Concat(wanted.Select(account => account.Facts.AccountId)).ToHashSet();
            return
            [
                .. kept.Where(account => !listed.ContainsKey(account.AccountId))
                    .Select(account => AccountFacts.Of(account.AccountId, account.ConnectionId, account.Raw))
                    .Concat(listed.Values.Select(account => account.Facts).Where(facts => ids.Contains(facts.AccountId)))
                    .Where(facts => !removed.Contains(facts.ConnectionId)),
            ];
        }

        // Connections of which an account would be counted twice, beside one of such a connection.
        IReadOnlyCollection<ConnectionId> AreTwice(Predicate<ConnectionId> beside) =>
        [
            .. standing.GroupBy(facts => facts.ConnectionId)
                .Where(connection => MadeAnew.Pairs(
                    connection,
                    standing.Where(facts => facts.ConnectionId != connection.Key && beside(facts.ConnectionId))).Count > 0)
                .Select(connection => connection.Key),
        ];
    }

    /// <summary>Whether Basiq has an account, or does not say that it has not.</summary>
    private async Task<bool> IsThereAsync(UserId userId, AccountId accountId, CancellationToken cancellation)
    {
        try
        {
            await basiq.GetAccountAsync(userId, accountId, cancellation);
            return true;
        }
        catch (BasiqException exception) when (!exception.Failure.IsTransient)
        {
            return !exception.Failure.IsNotFound;
        }
    }

    /// <summary>What is kept of the user. Of a manifest that is damaged nothing counts any more: the sync that asks replaces it.</summary>
    private async Task<(IReadOnlyList<SnapshotAccount> Kept, IReadOnlyCollection<ConnectionId> Removed)> KeptAsync(
        UserId userId, CancellationToken cancellation)
    {
        try
        {
            var kept = (await snapshots.GetCurrentAsync(userId, cancellation))?.Accounts ?? [];
            return (kept, await snapshots.ListRemovedConnectionsAsync(userId, cancellation));
        }
        catch (SnapshotCorruptException e) when (e is not SnapshotFromLaterVersionException)
        {
            return ([], []);
        }
    }

    /// <summary>The connections that Basiq lists and does not call ended.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="twice">Connections that have the same accounts. A list that has none of them says nothing about which has ended.</param>
    /// <param name="cancellation">Ends the wait.</param>
    private async Task<IReadOnlySet<ConnectionId>> ConnectionsThereAsync(
        UserId userId, IReadOnlyCollection<ConnectionId> twice, CancellationToken cancellation)
    {
        var connections = await basiq.ListConnectionsAsync(userId, cancellation);
        if (twice.Count > 0 && !connections.Any(connection => twice.Contains(connection.Id)))
            throw new BasiqException(new BasiqFailure(BasiqFailureKind.UnusableAnswer, "connections-missing"));
        return connections
            .Where(connection => !connection.IsInvalid && !connection.IsDeleted)
            .Select(connection => connection.Id).ToHashSet();
    }

    private static string? IdIn(JsonElement record, string name) =>
        record.ValueKind is JsonValueKind.Object && record.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String
            && record.Text(name) is { } id && RouteId.IsValid(id)
            ? id
            : null;

    private sealed record Listed(AccountFacts Facts, ReadOnlyMemory<byte> Raw)
    {
        public static Listed Of(AccountId id, ConnectionId connectionId, JsonElement record)
        {
            ReadOnlyMemory<byte> raw = JsonMarshal.GetRawUtf8Value(record).ToArray();
            return new Listed(AccountFacts.Of(id, connectionId, raw), raw);
        }
    }
}

/// <summary>The accounts that a sync takes.</summary>
/// <param name="Accounts">Each account's JSON as Basiq sent it.</param>
/// <param name="ConnectionIds">The connections whose accounts they are, also those that have none.</param>
/// <param name="Listing">What else the list told.</param>
/// <param name="Skipped">What of it could not be read.</param>
public sealed record WantedAccountList(
    IReadOnlyList<ReadOnlyMemory<byte>> Accounts,
    IReadOnlyList<ConnectionId> ConnectionIds,
    AccountListing Listing,
    IReadOnlyList<SkippedAccounts> Skipped);
