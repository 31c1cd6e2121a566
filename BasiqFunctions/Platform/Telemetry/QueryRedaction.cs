using System.Diagnostics;
using OpenTelemetry;

namespace BasiqFunctions.Platform.Telemetry;

/// <summary>
/// Takes the query out of every address in every span, whichever library wrote it: tokens, states, keys and filters travel there.
/// Libraries do it by themselves, unless a switch of theirs says otherwise; here nothing switches it off.
/// </summary>
internal sealed class QueryRedaction : BaseProcessor<Activity>
{
    private static readonly string[] Addresses = ["url.full", "http.url", "http.target"];
    private static readonly string[] Queries = ["url.query", "url.fragment"];

    public override void OnEnd(Activity data)
    {
        foreach (var name in Addresses)
        {
            if (data.GetTagItem(name) is string address && address.AsSpan().IndexOfAny('?', '#') is >= 0 and var end)
                data.SetTag(name, address[..end]);
        }

        foreach (var name in Queries)
            data.SetTag(name, null);
    }
}
