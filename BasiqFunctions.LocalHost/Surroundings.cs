using System.Net.Sockets;
using BasiqFunctions.Basiq;
using BasiqFunctions.Data;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.LocalHost;

/// <summary>The servers that the settings name, and whether they are there.</summary>
internal static class Surroundings
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>The addresses by what health calls the dependency; none for what is a file of this machine or a part of this process.</summary>
    public static IEnumerable<(string Dependency, Uri Address)> Of(LocalHostApplication host)
    {
        var configuration = host.Services.GetRequiredService<IConfiguration>();
        if (host.SandboxUrl is null)
            yield return ("basiq", new Uri(host.Services.GetRequiredService<IOptions<BasiqOptions>>().Value.BaseUrl));
        if (configuration["KeyVault:Uri"] is { Length: > 0 } vault)
            yield return ("key-vault", new Uri(vault));
        if (LocalHostApplication.UsesFiles(configuration))
            yield break;
        yield return ("snapshots", SnapshotRegistration.CreateService(configuration).Uri);
        yield return ("records", RecordTablesRegistration.Connect(configuration).Uri);
    }

    /// <summary>Why a server cannot be reached, and what to do about it; null when it can.</summary>
    public static async Task<string?> FindTroubleAsync(string dependency, Uri address)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var patience = new CancellationTokenSource(Patience);
        string why;
        try
        {
            await socket.ConnectAsync(address.DnsSafeHost, address.Port, patience.Token);
            return null;
        }
        catch (OperationCanceledException)
        {
            why = $"no answer within {Patience.TotalSeconds} s; a firewall may be in the way";
        }
        catch (SocketException exception)
        {
            why = exception.SocketErrorCode switch
            {
                SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "the name does not resolve",
                SocketError.ConnectionRefused => "nothing listens there",
                SocketError.HostUnreachable or SocketError.NetworkUnreachable => "there is no route to it",
                var other => $"{other}",
            };
        }

        var start = (address.IsLoopback, dependency) switch
        {
            (false, _) => "",
            (_, "basiq") => $" Start the sandbox: dotnet run --project BasiqFunctions.Sandbox -- --urls {address.GetLeftPart(UriPartial.Authority)}",
            (_, "snapshots" or "records") => " Start Azurite: npx azurite",
            _ => "",
        };
        return $"{address.GetLeftPart(UriPartial.Authority)} cannot be reached: {why}.{start}";
    }
}
