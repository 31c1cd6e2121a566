using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Basiq;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Connections.Institutions;

/// <summary>
/// The banks there are. Basiq is asked once an hour by one of all instances, which share its answer through a record; each holds it in memory for
/// half a minute, for whatever crowd. While Basiq is away the last answer serves for a day.
/// </summary>
public sealed class InstitutionCatalog(
    IBasiqClient basiq,
    HybridCache memory,
    [FromKeyedServices(ConnectionOptions.Section)] IRecordTable table,
    IOptions<ConnectionOptions> options,
    TimeProvider clock,
    ILogger<InstitutionCatalog> logger)
{
    private const string Partition = "institutions";
    private const string List = "list";
    private const string Claim = "claim";

    /// <summary>How long an instance does not look whether another one has asked Basiq again.</summary>
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(30);

    /// <summary>How long nobody else asks while one does, or after one has asked in vain.</summary>
    private static readonly TimeSpan ClaimedFor = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan ClaimPoll = TimeSpan.FromMilliseconds(100);

    private static readonly HybridCacheEntryOptions InMemory = new()
    {
        Expiration = Remembered,
        LocalCacheExpiration = Remembered,
        Flags = HybridCacheEntryFlags.DisableDistributedCache,
    };

    /// <summary>The banks.</summary>
    /// <exception cref="BasiqException">Basiq could not be asked, and nothing is kept that is young enough.</exception>
    internal ValueTask<InstitutionDirectory> GetAsync(CancellationToken cancellation) =>
        memory.GetOrCreateAsync(Partition, this, static (catalog, cancellation) => new ValueTask<InstitutionDirectory>(catalog.LookAsync(cancellation)), InMemory, null, cancellation);

    private async Task<InstitutionDirectory> LookAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var (kept, now) = (await FindAsync(cancellation), clock.GetUtcNow());
            if (IsFresh(kept, now))
                return new InstitutionDirectory(kept, isStale: false);
            var usable = kept is not null && kept.AsOf + options.Value.StaleInstitutionsFor > now ? kept : null;
            var claim = await table.FindAsync(Partition, Claim, cancellation);
            if (claim is not { Damage: null } || Moment(claim) <= now)
            {
                if (await ClaimAsync(claim, now, cancellation) is { } claimed)
                    return await AskAsync(usable, claimed, cancellation);
            }
            else if (usable is not null)
            {
                // Another instance is asking, or has just asked in vain.
                return new InstitutionDirectory(usable, isStale: usable.AsOf + options.Value.InstitutionsFor + ClaimedFor <= now);
            }

            await Task.Delay(ClaimPoll, clock, cancellation);
        }
    }

    private async Task<InstitutionDirectory> AskAsync(KeptInstitutions? usable, TableRecord claim, CancellationToken cancellation)
    {
        try
        {
            var asOf = clock.GetUtcNow();

            // Another instance may have asked, and be done, between this one's look at the list and its claim.
            var kept = await FindAsync(cancellation);
            if (IsFresh(kept, asOf))
            {
                await table.TryRemoveAsync(claim, cancellation);
                return new InstitutionDirectory(kept, isStale: false);
            }

            kept = new KeptInstitutions(asOf, await basiq.ListConnectorsAsync(cancellation));
            await table.PutAsync(new TableRecord(Partition, List, Compressed(kept)), cancellation);
            await table.TryRemoveAsync(claim, cancellation);
            return new InstitutionDirectory(kept, isStale: false);
        }
        catch (BasiqException exception) when (usable is not null)
        {
            // The claim stays, so that Basiq is asked now and then, and not by everybody.
            logger.InstitutionsStale(exception.Failure.Kind);
            return new InstitutionDirectory(usable, isStale: true);
        }
        catch (Exception) when (usable is null)
        {
            await table.TryRemoveAsync(claim, CancellationToken.None);
            throw;
        }
    }

    private bool IsFresh([NotNullWhen(true)] KeptInstitutions? kept, DateTimeOffset now) =>
        kept is not null && kept.AsOf + options.Value.InstitutionsFor > now;

    /// <summary>Has this instance ask Basiq, and no other; null where another one was faster.</summary>
    private Task<TableRecord?> ClaimAsync(TableRecord? found, DateTimeOffset now, CancellationToken cancellation)
    {
        var claim = new TableRecord(Partition, Claim, Encoding.UTF8.GetBytes($"{now + ClaimedFor:O}")) { ETag = found?.ETag };
        return found is null ? table.TryAddAsync(claim, cancellation) : table.TryReplaceAsync(claim, cancellation);
    }

    /// <summary>Until when a claim holds.</summary>
    private static DateTimeOffset Moment(TableRecord claim) =>
        DateTimeOffset.ParseExact(Encoding.UTF8.GetString(claim.Content), "O", CultureInfo.InvariantCulture);

    /// <summary>What is kept; what is damaged is not there.</summary>
    private async Task<KeptInstitutions?> FindAsync(CancellationToken cancellation)
    {
        if (await table.FindAsync(Partition, List, cancellation) is not { Damage: null } found)
            return null;
        using var json = new BrotliStream(new MemoryStream(found.Content), CompressionMode.Decompress);
        return await JsonSerializer.DeserializeAsync(json, AppJson.Of<KeptInstitutions>(), cancellation);
    }

    private static byte[] Compressed(KeptInstitutions kept)
    {
        using var content = new MemoryStream();
        using (var brotli = new BrotliStream(content, CompressionLevel.Optimal))
            JsonSerializer.Serialize(brotli, kept, AppJson.Of<KeptInstitutions>());
        return content.ToArray();
    }
}
