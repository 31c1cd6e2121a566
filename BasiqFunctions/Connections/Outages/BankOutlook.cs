using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Connections.Institutions;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Sync;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Caching.Hybrid;

namespace BasiqFunctions.Connections.Outages;

/// <summary>How banks are at this moment: Basiq is asked about one once a minute at most by each instance, however many need to know.</summary>
public sealed class BankOutlook(IBasiqClient basiq, InstitutionCatalog catalog, OutageNotes notes, HybridCache memory) : IBankOutlook
{
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(1);

    private static readonly HybridCacheEntryOptions InMemory = new()
    {
        Expiration = Remembered,
        LocalCacheExpiration = Remembered,
        Flags = HybridCacheEntryFlags.DisableDistributedCache,
    };

    /// <inheritdoc />
    public async Task<TimeSpan?> FindDurationAsync(string institutionId, CancellationToken cancellation)
    {
        try
        {
            return (await catalog.GetAsync(cancellation)).Find(institutionId)?.AverageDurationMs is { } duration ? TimeSpan.FromMilliseconds(duration) : null;
        }
        catch (BasiqException)
        {
            // An estimate is nothing to fail over.
            return null;
        }
    }

    /// <inheritdoc />
    public async Task<string?> FindOutageAsync(DurableTaskClient client, UserId userId, ConnectionId connectionId, CancellationToken cancellation)
    {
        try
        {
            return await FindOutageAsync(client, userId, await basiq.GetConnectionAsync(userId, connectionId, cancellation), cancellation);
        }
        catch (BasiqException)
        {
            // Whatever the bank is like, the job has failed, and that is what must be told.
            return null;
        }
    }

    /// <summary>The same of a connection that is at hand.</summary>
    internal async Task<string?> FindOutageAsync(DurableTaskClient client, UserId userId, Connection connection, CancellationToken cancellation)
    {
        var method = Connector.Spelled(connection.Method ?? Connector.OpenBanking);
        if (!RouteId.IsValid(connection.InstitutionId) || !RouteId.IsValid(method))
            return null;
        var bank = new BankWay(connection.InstitutionId!, method);
        if ((await AskAsync(bank, cancellation) ?? await FindInListAsync(bank, cancellation)) is not { IsOut: true } way)
            return null;
        await notes.AddAsync(client, bank, userId, connection.Id, cancellation);
        return way.Status;
    }

    /// <summary>A way to a bank as it is now; null where Basiq does not say.</summary>
    internal async Task<Connector?> AskAsync(BankWay bank, CancellationToken cancellation)
    {
        try
        {
            return await memory.GetOrCreateAsync(
                $"connector/{bank.Key}",
                (basiq, bank),
                static (asked, cancellation) => new ValueTask<Connector>(asked.basiq.GetConnectorAsync(asked.bank.InstitutionId, asked.bank.Method, cancellation)),
                InMemory,
                null,
                cancellation);
        }
        catch (BasiqException)
        {
            return null;
        }
    }

    /// <summary>A way to a bank as it was when the list was read.</summary>
    private async Task<Connector?> FindInListAsync(BankWay bank, CancellationToken cancellation)
    {
        try
        {
            return (await catalog.GetAsync(cancellation)).Find(bank.InstitutionId, bank.Method);
        }
        catch (BasiqException)
        {
            return null;
        }
    }
}

/// <summary>A way to a bank.</summary>
/// <param name="InstitutionId">The bank.</param>
/// <param name="Method">How it is reached.</param>
public sealed record BankWay(string InstitutionId, string Method)
{
    /// <summary>What it is called in names of records and orchestrations.</summary>
    internal string Key => $"{InstitutionId}.{Method}";
}
