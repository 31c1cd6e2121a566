using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Auth;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Vault;
using BasiqFunctions.Tests.Platform.Records;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Tests.Basiq;

/// <summary>The client over real connections: what a stub in place of the socket handler cannot show.</summary>
[Trait("Category", "Unit")]
public sealed class ConnectionTests
{
    private static readonly UserDetails Details = new() { Email = "gavin@hooli.com" };

    [Fact]
    public async Task A_compressed_answer_is_understood()
    {
        await using var test = await Server.StartAsync(async (context, _) =>
        {
            Assert.Contains("gzip", context.Request.Headers.AcceptEncoding.ToString(), StringComparison.Ordinal);
            context.Response.ContentType = "application/json";
            context.Response.Headers.ContentEncoding = "gzip";
            await using var gzip = new GZipStream(context.Response.Body, CompressionLevel.Fastest);
            await gzip.WriteAsync("""{"id":"u1"}"""u8.ToArray());
        });

        Assert.Equal("u1", (await test.Client.GetUserAsync(new("u1"))).Id);
    }

    [Fact]
    public async Task A_redirect_does_not_take_the_token_along()
    {
        await using var test = await Server.StartAsync((context, _) =>
        {
            context.Response.Redirect("/elsewhere");
            return Task.CompletedTask;
        });

        var exception = await Assert.ThrowsAsync<BasiqException>(() => test.Client.GetUserAsync(new("u1")));

        Assert.Equal("http-302", exception.Failure.Code);
        Assert.Equal(1, test.Requests);
    }

    [Fact]
    public async Task A_cookie_is_not_sent_back()
    {
        await using var test = await Server.StartAsync(async (context, _) =>
        {
            Assert.Empty(context.Request.Cookies);
            context.Response.Cookies.Append("tracking", "1");
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("""{"id":"u1"}""");
        });

        await test.Client.GetUserAsync(new("u1"));
        await test.Client.GetUserAsync(new("u1"));
    }

    [Fact]
    public async Task A_body_cut_short_is_asked_for_again()
    {
        await using var test = await Server.StartAsync(async (context, request) =>
        {
            context.Response.ContentType = "application/json";
            var body = Encoding.UTF8.GetBytes($$"""{"id":"u1","x":"{{new string('x', 100_000)}}"}""");
            context.Response.ContentLength = body.Length;
            await context.Response.Body.WriteAsync(body.AsMemory(0, request == 1 ? 50_000 : body.Length));
            await context.Response.Body.FlushAsync();
            if (request == 1)
                context.Abort();
        });

        Assert.Equal("u1", (await test.Client.GetUserAsync(new("u1"))).Id);
        Assert.Equal(2, test.Requests);
    }

    [Fact]
    public async Task A_user_creation_whose_connection_is_reset_is_never_sent_twice()
    {
        await using var test = await Server.StartAsync((context, _) =>
        {
            context.Abort();
            return Task.CompletedTask;
        });

        var exception = await Assert.ThrowsAsync<BasiqException>(() => test.Client.CreateUserAsync(Details));

        Assert.Equal(BasiqFailureKind.OutcomeUnknown, exception.Failure.Kind);
        Assert.Equal(1, test.Requests);
    }

    [Fact]
    public async Task A_user_creation_without_anyone_listening_is_known_not_to_have_happened()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = $"http://{listener.LocalEndpoint}";
        listener.Stop();
        await using var services = Server.Compose(url);

        var exception = await Assert.ThrowsAsync<BasiqException>(
            () => services.GetRequiredService<IBasiqClient>().CreateUserAsync(Details));

        Assert.Equal((BasiqFailureKind.Unavailable, true), (exception.Failure.Kind, exception.Failure.IsTransient));
    }

    private sealed class Server(WebApplication app) : IAsyncDisposable
    {
        private int _requests;

        public int Requests => _requests;

        public ServiceProvider Services { get; private set; } = null!;

        public IBasiqClient Client => Services.GetRequiredService<IBasiqClient>();

        public static async Task<Server> StartAsync(Func<HttpContext, int, Task> answer)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var app = builder.Build();
            var server = new Server(app);
            app.Run(context => answer(context, Interlocked.Increment(ref server._requests)));
            await app.StartAsync();
            server.Services = Compose(app.Urls.First());
            return server;
        }

        public static ServiceProvider Compose(string url)
        {
            var configuration = new ConfigurationBuilder()
                .AddInMemoryCollection([new("Basiq:BaseUrl", url), new("Basiq:RetryDelay", "00:00:00.010")])
                .Build();
            var vault = new StubKeyVault(TimeProvider.System);
            vault.Put(SecretNames.ServerToken, "server-token", DateTimeOffset.UtcNow.AddHours(1));
            return new ServiceCollection()
                .AddLogging()
                .AddSingleton(vault.CreateClient())
                .AddSingleton<IRecordTables>(new MemoryRecordTables())
                .AddTokens(configuration)
                .AddBasiqClient(configuration)
                .BuildServiceProvider();
        }

        public async ValueTask DisposeAsync()
        {
            await Services.DisposeAsync();
            await app.DisposeAsync();
        }
    }
}
