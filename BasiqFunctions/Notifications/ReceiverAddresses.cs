using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Notifications;

/// <summary>
/// Which addresses notifications may be sent to: whoever may name a receiver must not reach through this app what only this app can
/// reach. Addresses are looked at when a connection is made, after the name was resolved: a name may mean another address then.
/// </summary>
public sealed partial class ReceiverAddresses(IOptions<NotificationOptions> options)
{
    /// <summary>The longest URL.</summary>
    internal const int MostLength = 1024;

    /// <summary>IANA's special-purpose registries, multicast, and the address at which Azure answers its machines.</summary>
    private static readonly IPNetwork[] Closed =
    [
        .. ((string[])
        [
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
            "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
            "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48",
        ]).Select(network => IPNetwork.Parse(network)),
    ];

    /// <summary>What of IPv6 is given to anybody; every special purpose outside of it is closed with the rest.</summary>
    private static readonly IPNetwork Global = IPNetwork.Parse("2000::/3");

    private readonly IReadOnlyList<IPNetwork> _allowed = options.Value.ParseNetworks() ?? [];

    /// <summary>Whether a connection to an address may be made.</summary>
    public bool Allows(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (_allowed.Any(network => network.Contains(address)))
            return true;
        return address is { AddressFamily: AddressFamily.InterNetwork } or { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: 0 }
            && !Closed.Any(network => network.Contains(address))
            && (address.AddressFamily is AddressFamily.InterNetwork || Global.Contains(address));
    }

    /// <summary>What is wrong with the URL of a receiver; null when nothing is that can be told without asking for its name.</summary>
    public string? Refuse(string? text)
    {
        if (text is not { Length: > 0 and <= MostLength } || !Plain().IsMatch(text) || !Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Host.Length == 0)
            return "must be an absolute https URL without credentials or fragment.";
        var address = IPAddress.TryParse(url.Host.Trim('[', ']').TrimEnd('.'), out var literal) ? literal : null;
        var isLocal = url.IsLoopback && (address is null ? Allows(IPAddress.Loopback) : Allows(address));
        if (url.Scheme != Uri.UriSchemeHttps && !(url.Scheme == Uri.UriSchemeHttp && isLocal))
            return "must be https.";
        if (isLocal)
            return null;
        if (address is null ? url.IsLoopback || IsLocalName(url.IdnHost) : !Allows(address))
            return "must be an address that anybody can reach; others take Notifications:AllowedNetworks.";
        return null;
    }

    /// <summary>Connects to a receiver, to an address that has been looked at and no other.</summary>
    internal async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var host = context.DnsEndPoint.Host;
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellation);
        IPAddress[] open = [.. addresses.Where(Allows)];
        if (open.Length == 0)
            throw new AddressNotAllowedException();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(open, context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static bool IsLocalName(string host) =>
        host.TrimEnd('.') is var name
        && (!name.Contains('.', StringComparison.Ordinal)
            || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".local", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".internal", StringComparison.OrdinalIgnoreCase));

    /// <summary>Printable ASCII, two slashes and then an authority without user; no backslash, no fragment.</summary>
    [GeneratedRegex(@"\A(?i:https?)://[^/?#@\\\x00-\x20\x7F-\uFFFF]+(?:[/?][^#\\\x00-\x20\x7F-\uFFFF]*)?\z")]
    private static partial Regex Plain();
}

/// <summary>The name of a receiver means no address that notifications may be sent to.</summary>
#pragma warning disable CA1032 // Nobody else makes one.
internal sealed class AddressNotAllowedException() : IOException("The receiver has no address that may be connected to.");
#pragma warning restore CA1032
