using System.Net;
using System.Net.Sockets;

namespace BasiqFunctions.Benchmarks.Processes;

/// <summary>
/// A port for a program that must be told its port. It lies below those that systems give out by themselves, or until the program listens there
/// some other socket could be given it, and answer in its place.
/// </summary>
internal static class FreePort
{
    private const int First = 20_000;
    private const int End = 32_000;

    public static int Find()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, End);
            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
            }
        }
    }
}
