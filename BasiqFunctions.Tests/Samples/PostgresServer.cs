using System.Diagnostics;
using System.Globalization;
using BasiqFunctions.Benchmarks.Processes;
using Npgsql;

namespace BasiqFunctions.Tests.Samples;

/// <summary>
/// A PostgreSQL of the test's own, in a folder of its own and on a free port, which never runs as root. It ends with the process that started it, however that ends.
/// </summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    /// <summary>Those of Debian 12 and of Ubuntu 24.04.</summary>
    private static readonly int[] Majors = [15, 16];

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // When its standard input closes, it stops the server and removes the folder.
    private const string Script = """
        bin=$1 port=$2 as=
        folder=$(mktemp -d) || exit 1
        trap 'rm -rf "$folder"' EXIT
        if [ "$(id -u)" -eq 0 ]; then
          chown nobody "$folder" || exit 1
          as='setpriv --reuid=nobody --regid=nogroup --clear-groups --'
        fi
        cd "$folder" || exit 1
        $as "$bin/initdb" -D "$folder/data" -U test --auth=trust --no-sync >&2 || exit 1
        $as "$bin/postgres" -D "$folder/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off >&2 </dev/null &
        cat >/dev/null
        kill -INT $!
        wait $!
        """;

    private readonly Process _process;

    private PostgresServer(Process process, int port) =>
        (_process, ConnectionString) = (process, string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=test;Database=postgres"));

    /// <summary>Where its programs are; null when there are none here.</summary>
    public static string? Programs =>
        Majors.Select(major => string.Create(CultureInfo.InvariantCulture, $"/usr/lib/postgresql/{major}/bin")).FirstOrDefault(folder => File.Exists(Path.Combine(folder, "postgres")));

    public string ConnectionString { get; }

    public static async Task<PostgresServer> StartAsync(string programs)
    {
        var port = FreePort.Find();
        var start = new ProcessStartInfo("sh", ["-c", Script, "sh", programs, port.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        var server = new PostgresServer(Process.Start(start)!, port);
        var said = server._process.StandardError.ReadToEndAsync();
        await using var database = NpgsqlDataSource.Create(server.ConnectionString);
        for (var since = Stopwatch.StartNew(); ; await Task.Delay(50))
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync();
                return server;
            }
            catch (NpgsqlException) when (!server._process.HasExited && since.Elapsed < Patience)
            {
            }
            catch (NpgsqlException)
            {
                await server.DisposeAsync();
                throw new InvalidOperationException($"PostgreSQL does not start: {await said}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(Patience);
        await _process.WaitForExitAsync(patience.Token);
        _process.Dispose();
    }
}
