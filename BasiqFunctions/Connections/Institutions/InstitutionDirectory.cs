using System.Collections.Frozen;
using System.ComponentModel;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using Microsoft.Net.Http.Headers;

namespace BasiqFunctions.Connections.Institutions;

/// <summary>The banks there are, as Basiq had them at a moment. It never changes, so that all who read share one.</summary>
[ImmutableObject(true)]
internal sealed class InstitutionDirectory
{
    /// <summary>The way that a consent takes comes first; of a bank's statements alone nobody expects that they are up.</summary>
    private static readonly string[] Preferred = [Connector.OpenBanking, "web", "pdf", "csv"];

    private readonly FrozenDictionary<string, Connector[]> _ways;
    private readonly FrozenDictionary<string, Institution> _banks;
    private readonly FrozenDictionary<string, string> _names;
    private readonly Lazy<EncodedJson> _whole;

    public InstitutionDirectory(KeptInstitutions kept, bool isStale)
    {
        (AsOf, IsStale) = (kept.AsOf, isStale);
        Tag = EntityTags.Of($"{AsOf:O}", $"{isStale}");
        _ways = kept.Connectors.GroupBy(way => way.InstitutionId, StringComparer.Ordinal)
            .ToFrozenDictionary(bank => bank.Key, bank => bank.OrderBy(way => Array.IndexOf(Preferred, way.Method) is >= 0 and var at ? at : Preferred.Length).ToArray(), StringComparer.Ordinal);
        All = [.. _ways.Values.Select(ways => Of(ways, ways[0])).OrderBy(bank => bank.Name, StringComparer.OrdinalIgnoreCase).ThenBy(bank => bank.Id, StringComparer.Ordinal)];
        _banks = All.ToFrozenDictionary(bank => bank.Id, StringComparer.Ordinal);
        _names = All.ToFrozenDictionary(bank => bank.Id, bank => $"{bank.Name}\n{bank.ShortName}\n{bank.Id}".ToLowerInvariant(), StringComparer.Ordinal);
        _whole = new Lazy<EncodedJson>(() => new EncodedJson(new InstitutionList(All, AsOf, Stale).ToContent()));
    }

    /// <summary>When Basiq was asked.</summary>
    public DateTimeOffset AsOf { get; }

    /// <summary>Whether Basiq could not be asked since.</summary>
    public bool IsStale { get; }

    /// <summary>What tells it from other states of the list.</summary>
    public EntityTagHeaderValue Tag { get; }

    /// <summary>The banks, by name.</summary>
    public IReadOnlyList<Institution> All { get; }

    private bool? Stale => IsStale ? true : null;

    /// <summary>A bank; null where there is none of that id.</summary>
    public Institution? Find(string id) => _banks.GetValueOrDefault(id);

    /// <summary>A way to a bank; null where there is none.</summary>
    public Connector? Find(string id, string method) => _ways.GetValueOrDefault(id)?.FirstOrDefault(way => way.Method == method);

    /// <summary>The JSON of the banks that a query is for: of all of them it is made once.</summary>
    public EncodedJson Json(InstitutionQuery query) => query.IsEmpty ? _whole.Value : new EncodedJson(new InstitutionList(List(query), AsOf, Stale).ToContent());

    /// <summary>The JSON of one bank.</summary>
    public EncodedJson Json(Institution bank) => new((bank with { AsOf = AsOf, IsStale = Stale }).ToContent());

    private List<Institution> List(InstitutionQuery query) =>
    [
        .. from bank in All
           where query.Takes(bank, _names[bank.Id])
           let way = query.Method is null ? null : Find(bank.Id, query.Method)
           where query.Method is null || way is not null
           select way is null ? bank : Of(_ways[bank.Id], way),
    ];

    /// <summary>A bank as it is by one of its ways.</summary>
    private static Institution Of(Connector[] ways, Connector way) => new(
        way.InstitutionId, way.Name, way.ShortName, way.Tier, way.Country, [way.Method, .. ways.Where(other => other != way).Select(other => other.Method).Distinct()],
        way.Status, way.Stage, way.AverageDurationMs, way.LogoUrl ?? ways.Select(other => other.LogoUrl).FirstOrDefault(url => url is not null));
}

/// <summary>What is kept of Basiq's list.</summary>
/// <param name="AsOf">When Basiq was asked.</param>
/// <param name="Connectors">The ways to all banks.</param>
internal sealed record KeptInstitutions(DateTimeOffset AsOf, IReadOnlyList<Connector> Connectors);
