using System.Text.Json;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Data;

/// <summary>What a sync stores while it runs, for <see cref="SnapshotPublisher"/> to publish; see <see cref="SnapshotManifests"/>.</summary>
public sealed class SnapshotStaging(
    ISnapshotStorage storage,
    SnapshotManifests manifests,
    DamagedAccounts damage,
    IOptions<SnapshotOptions> options,
    TimeProvider clock,
    ILogger<SnapshotStaging> logger)
{
    private readonly BankDays _days = new(options.Value.TimeZone);
    private readonly KeptTransactions _kept = new(new SegmentReader(storage), new BankDays(options.Value.TimeZone));
    private readonly AccountTrails _trails = new(clock);

    /// <summary>Stages the accounts that a sync listed, replacing what it staged before. Must come before its segments.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="runId">The sync's run.</param>
    /// <param name="accounts">Each one account's JSON (UTF-8) as Basiq sent it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The accounts' ids, in the same order.</returns>
    /// <exception cref="JsonException">
    /// An account is not a JSON object, or its <c>id</c> or <c>connection</c> is missing or no id.
    /// </exception>
    public async Task<IReadOnlyList<StagedAccount>> StageAccountsAsync(
        UserId userId, RunId runId, IEnumerable<ReadOnlyMemory<byte>> accounts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(accounts);
        var name = SnapshotPaths.Accounts(userId, runId);
        var seen = new HashSet<AccountId>();
        var entries = new List<StagedAccountEntry>();
        foreach (var raw in accounts)
        {
            var entry = ReadAccount(raw);
            if (!seen.Add(entry.AccountId))
                throw new JsonException("An account is listed twice.");
            entries.Add(entry);
        }
        var content = ChecksummedJson.Write(new StagedAccounts(SnapshotManifest.CurrentVersion, entries), SnapshotJsonContext.Default.StagedAccounts);
        await using var blob = await storage.OpenWriteAsync(name, cancellationToken);
        await blob.WriteAsync(content, cancellationToken);
        await blob.CommitAsync(cancellationToken);
        return [.. entries.Select(e => new StagedAccount(e.AccountId, e.ConnectionId, e.InstitutionId))];
    }

    /// <summary>What of each of these accounts a sync is to fetch.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="runId">The run that stages them.</param>
    /// <param name="accounts">Each one account's JSON (UTF-8) as Basiq lists it, with its id.</param>
    /// <param name="rules">How much is fetched anew.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The same number, in the same order.</returns>
    public async Task<IReadOnlyList<AccountFetch>> PlanAsync(
        UserId userId, RunId runId, IReadOnlyList<(AccountId AccountId, ReadOnlyMemory<byte> Raw)> accounts, FetchRules rules, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(accounts);
        ArgumentNullException.ThrowIfNull(rules);
        var damaged = await damage.ListAsync(userId, cancellationToken);
        var kept = ((await manifests.ReadToChangeAsync(userId, cancellationToken))?.Manifest ?? SnapshotManifest.Empty).Accounts
            .Where(account => !damaged.Contains(account.AccountId))
            .ToDictionary(account => account.AccountId, account => account.Transactions);

        // Should this sync fail, or a later one publish before it, the next one fetches the whole in its place.
        if (rules.IsFull)
            await OweWholeAsync(userId, runId, [.. accounts.Select(account => account.AccountId).Where(kept.ContainsKey)], cancellationToken);
        return [.. accounts.Select(account => _kept.Plan(account.AccountId, kept.GetValueOrDefault(account.AccountId), account.Raw, rules, clock.GetUtcNow()))];
    }

    /// <summary>Notes that some accounts must be fetched whole; publishing them clears the note, as after damage.</summary>
    private async Task OweWholeAsync(UserId userId, RunId runId, IReadOnlyList<AccountId> accountIds, CancellationToken cancellationToken)
    {
        foreach (var accountId in accountIds)
            await damage.NoteAsync(userId, accountId, cancellationToken);
        if (await storage.ExistsAsync(SnapshotPaths.Accounts(userId, runId), cancellationToken))
            return;
        await damage.ClearAsync(userId, accountIds.Contains, CancellationToken.None);
        throw new SnapshotDiscardedException(runId);
    }

    /// <summary>Opens what is known of the days that are fetched again; null when it cannot be compared with any more, and the whole is to be fetched.</summary>
    internal async Task<KeptOverlap?> OpenOverlapAsync(UserId userId, AccountId accountId, KeptSpan span, CancellationToken cancellationToken) =>
        await OfBaseAsync<KeptOverlap?>(userId, accountId, span, async kept => await _kept.OpenOverlapAsync(userId, accountId, kept, span.From, cancellationToken), cancellationToken);

    /// <summary>Whether one of these ids is kept and not fetched again; null as <see cref="OpenOverlapAsync"/>.</summary>
    internal Task<bool?> HasAnyKeptAsync(UserId userId, AccountId accountId, KeptSpan span, IReadOnlySet<ulong> ids, CancellationToken cancellationToken) =>
        OfBaseAsync<bool?>(userId, accountId, span, async kept => await _kept.HasAnyAsync(userId, accountId, kept, span.From, ids, cancellationToken), cancellationToken);

    /// <summary>
    /// Starts a segment of an account's transactions. Segments are numbered from 0. Each attempt at one writes a blob of its own, and
    /// a publication says which of them counts: one that comes late, as a duplicate of an attempt thought lost, spoils nothing.
    /// </summary>
    /// <exception cref="SnapshotDiscardedException">The sync has no staged accounts.</exception>
    public async Task<SegmentWriter> BeginSegmentAsync(
        UserId userId, RunId runId, AccountId accountId, int segment, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(segment);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(segment, 999_999);
        var attempt = Guid.NewGuid().ToString("N")[..8];
        var name = SnapshotPaths.Segment(userId, runId, accountId, segment, attempt);
        var marker = SnapshotPaths.Accounts(userId, runId);
        if (!await storage.ExistsAsync(marker, cancellationToken))
            throw new SnapshotDiscardedException(runId);
        var blob = await storage.OpenWriteAsync(name, cancellationToken);
        return new SegmentWriter(storage, blob, name, attempt, runId, marker, _days);
    }

    /// <summary>The trail of an account up to a segment: what of it has been fetched before.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="runId">The sync's run.</param>
    /// <param name="accountId">The account.</param>
    /// <param name="segment">The segment that comes next.</param>
    /// <param name="before">The attempt that wrote the segment before it; null for the first.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="SnapshotDiscardedException">The sync was discarded.</exception>
    /// <exception cref="SnapshotCorruptException">A part of the trail is missing or damaged.</exception>
    public async Task<AccountTrail> ResumeTrailAsync(
        UserId userId, RunId runId, AccountId accountId, int segment, string? before, CancellationToken cancellationToken)
    {
        var trail = new AccountTrail(userId, runId, accountId, segment, before);
        if (trail.BlobName is { } last && _trails.Take(last) is { } kept)
            return kept;
        var attempt = before;
        for (var part = segment - 1; attempt is not null; part--)
        {
            var name = SnapshotPaths.Trail(userId, runId, accountId, part, attempt);
            if (await storage.ReadAsync(name, cancellationToken) is not { } blob)
            {
                throw await storage.ExistsAsync(SnapshotPaths.Accounts(userId, runId), cancellationToken)
                    ? new SnapshotCorruptException(name, "it does not exist")
                    : new SnapshotDiscardedException(runId);
            }

            attempt = trail.TakeIn(name, blob.Content.Span, isLast: part == segment - 1);
        }

        return trail;
    }

    /// <summary>Gives back a trail to which nothing was added, for the next attempt at the same segment.</summary>
    public void GiveBack(AccountTrail trail) => _trails.Keep(trail);

    /// <summary>Keeps a trail for the segment that comes next.</summary>
    /// <param name="trail">The trail.</param>
    /// <param name="attempt">The attempt that wrote the segment up to which it goes.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="SnapshotDiscardedException">The sync was discarded meanwhile; nothing is left.</exception>
    public async Task KeepTrailAsync(AccountTrail trail, string attempt, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(trail);
        var part = trail.EndSegment(attempt);
        await storage.TryPutAsync(trail.BlobName!, part, null, cancellationToken);
        if (!await storage.ExistsAsync(SnapshotPaths.Accounts(trail.UserId, trail.RunId), cancellationToken))
        {
            await storage.DeleteAsync(trail.BlobName!, CancellationToken.None);
            throw new SnapshotDiscardedException(trail.RunId);
        }

        _trails.Keep(trail);
    }

    private async Task<T?> OfBaseAsync<T>(
        UserId userId, AccountId accountId, KeptSpan span, Func<ManifestTransactions, Task<T>> read, CancellationToken cancellationToken)
    {
        try
        {
            var kept = (await manifests.ReadAsync(userId, cancellationToken))?.Manifest.Accounts.FirstOrDefault(a => a.AccountId == accountId)?.Transactions;
            return kept is not null && kept.Identity == span.Base ? await read(kept) : default;
        }
        catch (SnapshotCorruptException e)
        {
            // It is damaged, or another sync has just replaced it: the whole heals the one and passes over the other.
            Log.Damaged(logger, e, userId);
            return default;
        }
    }

    private static StagedAccountEntry ReadAccount(ReadOnlyMemory<byte> raw)
    {
        var reader = new Utf8JsonReader(raw.Span);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("An account must be a JSON object.");
        string? id = null, connection = null, institution = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.ValueTextEquals("id"u8) ? 1 : reader.ValueTextEquals("connection"u8) ? 2 : reader.ValueTextEquals("institution"u8) ? 3 : 0;
            reader.Read();
            var text = field != 0 && reader.TokenType == JsonTokenType.String ? reader.Decoded() : null;
            switch (field)
            {
                case 1:
                    id = text;
                    break;
                case 2:
                    connection = text;
                    break;
                case 3:
                    institution = text;
                    break;
            }
            reader.Skip();
        }
        reader.Read();
        if (id is null || !RouteId.IsValid(id))
            throw new JsonException("An account's id is missing or not an id.");
        if (connection is null || !RouteId.IsValid(connection))
            throw new JsonException("An account's connection is missing or not an id.");
        return new StagedAccountEntry(new(id), new(connection), institution, new RawJson(raw.ToArray()));
    }
}
