using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Vault;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Tests.Platform.Vault;

/// <summary>
/// A Key Vault over HTTPS on a port of this machine, behind the app's own client: challenge, versions in pages, attributes, tags, soft
/// delete and recovery, and the ways in which Key Vault fails (Microsoft Learn, "Azure Key Vault REST API reference: Secrets").
/// </summary>
internal sealed class KeyVaultServer : IAsyncDisposable
{
    private const string Tenant = "0c1d5f4e-9f0b-4a3f-8a2a-5a8a4e8f1b7d";

    private readonly Lock _gate = new();
    private readonly List<Version> _versions = [];
    private readonly Dictionary<string, Deletion> _deleted = [];
    private readonly ConcurrentQueue<Received> _requests = [];
    private readonly TimeProvider _clock;
    private readonly X509Certificate2 _certificate;
    private readonly WebApplication _app;
    private int _port;

    private KeyVaultServer(TimeProvider clock)
    {
        _clock = clock;
        _certificate = MakeCertificate();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(_certificate)));
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    /// <summary>A host of its own for each, since clients remember a host's challenge as long as the process lives.</summary>
    public Uri VaultUri { get; } = new($"https://test-{Guid.NewGuid():N}.vault.azure.net/");

    /// <summary>The resource that the challenge names.</summary>
    public string Resource { get; set; } = "https://vault.azure.net";

    /// <summary>How many versions a page holds at most.</summary>
    public int PageSize { get; set; } = 25;

    /// <summary>How many looks a secret that is being recovered stays away for.</summary>
    public int LooksUntilRecovered { get; set; }

    /// <summary>Connections are broken off unanswered.</summary>
    public bool IsDown { get; set; }

    /// <summary>Requests are taken and never answered.</summary>
    public bool IsStuck { get; set; }

    /// <summary>What a request gets instead of an answer, once it has a credential; null for the answer.</summary>
    public Func<Received, Refusal?> Refuse { get; set; } = _ => null;

    /// <summary>Runs before a request is answered.</summary>
    public Func<Received, Task> Before { get; set; } = _ => Task.CompletedTask;

    /// <summary>Everything that came with a credential.</summary>
    public IReadOnlyList<Received> Requests => [.. _requests.Where(request => request.IsAuthorized)];

    /// <summary>Everything that came without one.</summary>
    public IReadOnlyList<Received> Strangers => [.. _requests.Where(request => !request.IsAuthorized)];

    /// <summary>What the client asked a credential for.</summary>
    public ConcurrentQueue<TokenRequestContext> CredentialRequests { get; } = [];

    public static async Task<KeyVaultServer> StartAsync(TimeProvider clock)
    {
        var server = new KeyVaultServer(clock);
        await server._app.StartAsync();
        var address = server._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        server._port = new Uri(address).Port;
        return server;
    }

    /// <summary>The app's own client; only the way to the vault's host is another.</summary>
    public SecretClient CreateClient() => KeyVaultClient.Create(VaultUri, new Credential(this), CreateTransport());

    public IReadOnlyList<Version> Versions(string name)
    {
        lock (_gate)
            return [.. _versions.Where(version => version.Name == name)];
    }

    public Version Put(string name, string value, DateTimeOffset? expiresOn = null, bool enabled = true)
    {
        var attributes = new JsonObject { ["enabled"] = enabled };
        if (expiresOn is { } expiry)
            attributes["exp"] = expiry.ToUnixTimeSeconds();
        lock (_gate)
            return Add(name, value, null, attributes, null);
    }

    /// <summary>Soft-deletes a secret, as an operator's <c>az keyvault secret delete</c> does.</summary>
    public void Delete(string name)
    {
        lock (_gate)
            _deleted.Add(name, new Deletion(_clock.GetUtcNow()));
    }

    /// <summary>Stops to listen: connections are refused.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _certificate.Dispose();
    }

    private X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + VaultUri.Host, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(VaultUri.Host);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private HttpClientTransport CreateTransport() => new(new HttpClient(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellation) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, _port, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
        SslOptions = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, presented, _, _) => presented?.GetCertHashString() == _certificate.GetCertHashString(),
        },
    }));

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        using var reader = new StreamReader(request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync(context.RequestAborted);
        var received = new Received(
            request.Method,
            request.Path,
            request.QueryString.Value ?? "",
            request.Headers.Authorization == $"Bearer {Credential.Token}",
            body,
            _clock.GetUtcNow(),
            TimeProvider.System.GetTimestamp());
        if (IsDown)
        {
            context.Abort();
            return;
        }

        _requests.Enqueue(received);
        if (IsStuck)
        {
            var gone = new TaskCompletionSource();
            await using var registration = context.RequestAborted.Register(gone.SetResult);
            await gone.Task;
            return;
        }

        if (!received.IsAuthorized)
        {
            context.Response.Headers.WWWAuthenticate =
                $"Bearer authorization=\"https://login.microsoftonline.com/{Tenant}\", resource=\"{Resource}\"";
            await FailAsync(context, 401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.");
            return;
        }

        await Before(received);
        if (Refuse(received) is { } refusal)
        {
            if (refusal.RetryAfter is { } retryAfter)
                context.Response.Headers.RetryAfter = retryAfter;
            await FailAsync(context, refusal.Status, refusal.Code, "No.", refusal.InnerCode);
            return;
        }

        var query = QueryHelpers.ParseQuery(request.QueryString.Value);
        if (!query.ContainsKey("api-version"))
        {
            await FailAsync(context, 400, "BadParameter", "AKV10001: The api-version is missing.");
            return;
        }

        var path = request.Path.Value!.Trim('/').Split('/');
        var json = body.Length == 0 ? null : JsonNode.Parse(body)!.AsObject();
        var answer = (request.Method, path) switch
        {
            ("PUT", ["secrets", var name]) => Set(name, json!),
            ("GET", ["secrets", var name]) => Get(name, null),
            ("GET", ["secrets", var name, "versions"]) => List(name, query),
            ("GET", ["secrets", var name, var version]) => Get(name, version),
            ("PATCH", ["secrets", var name, var version]) => Update(name, version, json!),
            ("POST", ["deletedsecrets", var name, "recover"]) => Recover(name),
            _ => new Answer(405, "MethodNotAllowed"),
        };
        if (answer.Body is { } content)
            await WriteAsync(context, answer.Status, content);
        else
            await FailAsync(context, answer.Status, answer.Code!, $"{answer.Code}.", answer.InnerCode);
    }

    private Answer Set(string name, JsonObject body)
    {
        lock (_gate)
        {
            if (_deleted.TryGetValue(name, out var deletion))
                return new Answer(409, "Conflict", deletion.LooksLeft is null ? "ObjectIsDeletedButRecoverable" : "ObjectIsBeingRecovered");
            return new Answer(200, Add(
                name,
                (string)body["value"]!,
                (string?)body["contentType"],
                body["attributes"]?.DeepClone().AsObject() ?? [],
                body["tags"]?.DeepClone().AsObject()).ToJson(withValue: true));
        }
    }

    private Answer Get(string name, string? number)
    {
        lock (_gate)
        {
            if (_deleted.TryGetValue(name, out var deletion))
            {
                if (deletion.LooksLeft is not { } left || left > 0)
                {
                    _deleted[name] = deletion with { LooksLeft = deletion.LooksLeft - 1 };
                    return new Answer(404, "SecretNotFound");
                }

                _deleted.Remove(name);
            }

            return _versions.LastOrDefault(version => version.Name == name && (number is null || version.Number == number)) switch
            {
                null => new Answer(404, "SecretNotFound"),
                { IsEnabled: false } => new Answer(403, "Forbidden", "SecretDisabled"),
                var found => new Answer(200, found.ToJson(withValue: true)),
            };
        }
    }

    private Answer List(string name, Dictionary<string, Microsoft.Extensions.Primitives.StringValues> query)
    {
        var limit = query.TryGetValue("maxresults", out var wanted) ? int.Parse(wanted!, CultureInfo.InvariantCulture) : PageSize;
        if (limit is < 1 or > 25)
            return new Answer(400, "BadParameter");
        limit = Math.Min(limit, PageSize);
        lock (_gate)
        {
            // By their random numbers: Key Vault promises no order either.
            var versions = _versions.Where(version => version.Name == name && !_deleted.ContainsKey(name))
                .OrderBy(version => version.Number, StringComparer.Ordinal)
                .SkipWhile(version => query.TryGetValue("$skiptoken", out var last) && string.CompareOrdinal(version.Number, last) <= 0)
                .ToList();
            var page = versions.Take(limit).ToList();
            return new Answer(200, new JsonObject
            {
                ["value"] = new JsonArray([.. page.Select(version => version.ToJson(withValue: false))]),
                ["nextLink"] = versions.Count > limit
                    ? $"{VaultUri}secrets/{name}/versions?api-version={query["api-version"]}&$skiptoken={page[^1].Number}&maxresults={limit}"
                    : null,
            });
        }
    }

    private Answer Update(string name, string number, JsonObject body)
    {
        lock (_gate)
        {
            if (_deleted.ContainsKey(name) || _versions.SingleOrDefault(v => v.Name == name && v.Number == number) is not { } version)
                return new Answer(404, "SecretNotFound");
            foreach (var (attribute, value) in body["attributes"]?.AsObject() ?? [])
                version.Attributes[attribute] = value?.DeepClone();
            if (body["tags"] is { } tags)
                version.Tags = tags.DeepClone().AsObject();
            version.Attributes["updated"] = _clock.GetUtcNow().ToUnixTimeSeconds();
            return new Answer(200, version.ToJson(withValue: false));
        }
    }

    private Answer Recover(string name)
    {
        lock (_gate)
        {
            if (!_deleted.TryGetValue(name, out var deletion))
                return new Answer(404, "SecretNotFound");
            if (deletion.LooksLeft is not null)
                return new Answer(409, "Conflict", "ObjectIsBeingRecovered");
            _deleted[name] = deletion with { LooksLeft = LooksUntilRecovered };
            return new Answer(200, _versions.Last(version => version.Name == name).ToJson(withValue: false));
        }
    }

    private Version Add(string name, string value, string? contentType, JsonObject attributes, JsonObject? tags)
    {
        var now = _clock.GetUtcNow().ToUnixTimeSeconds();
        attributes["enabled"] ??= true;
        attributes["created"] = now;
        attributes["updated"] = now;
        attributes["recoveryLevel"] = "Recoverable+Purgeable";
        attributes["recoverableDays"] = 90;
        var version = new Version(VaultUri, name, Guid.NewGuid().ToString("N"), value, contentType, attributes, tags ?? []);
        _versions.Add(version);
        return version;
    }

    private static Task FailAsync(HttpContext context, int status, string code, string message, string? innerCode = null)
    {
        var error = new JsonObject { ["code"] = code, ["message"] = message };
        if (innerCode is not null)
            error["innererror"] = new JsonObject { ["code"] = innerCode };
        return WriteAsync(context, status, new JsonObject { ["error"] = error });
    }

    private static async Task WriteAsync(HttpContext context, int status, JsonNode json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache";
        await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(json), context.RequestAborted);
    }

    /// <summary>A request that came.</summary>
    internal sealed record Received(
        string Method, string Path, string Query, bool IsAuthorized, string Body, DateTimeOffset At, long Timestamp);

    /// <summary>An error instead of an answer.</summary>
    internal sealed record Refusal(int Status, string Code, string? InnerCode = null, string? RetryAfter = null);

    /// <summary>A version of a secret.</summary>
    internal sealed class Version(
        Uri vault, string name, string number, string value, string? contentType, JsonObject attributes, JsonObject tags)
    {
        public string Name => name;

        public string Number => number;

        public string Value => value;

        public string? ContentType => contentType;

        public JsonObject Attributes => attributes;

        public JsonObject Tags { get; set; } = tags;

        public bool IsEnabled => (bool)attributes["enabled"]!;

        public DateTimeOffset? ExpiresOn => attributes["exp"] is { } exp ? DateTimeOffset.FromUnixTimeSeconds((long)exp) : null;

        public JsonObject ToJson(bool withValue)
        {
            var json = new JsonObject
            {
                ["id"] = $"{vault}secrets/{name}/{number}",
                ["attributes"] = attributes.DeepClone(),
                ["tags"] = Tags.DeepClone(),
            };
            if (contentType is not null)
                json["contentType"] = contentType;
            if (withValue)
                json["value"] = value;
            return json;
        }
    }

    private sealed record Answer(int Status, JsonObject? Body, string? Code, string? InnerCode)
    {
        public Answer(int status, JsonObject body)
            : this(status, body, null, null)
        {
        }

        public Answer(int status, string code, string? innerCode = null)
            : this(status, null, code, innerCode)
        {
        }
    }

    /// <param name="At">When.</param>
    /// <param name="LooksLeft">While it is being recovered, how many more looks find it away.</param>
    private sealed record Deletion(DateTimeOffset At, int? LooksLeft = null);

    private sealed class Credential(KeyVaultServer server) : TokenCredential
    {
        public const string Token = "vault-access";

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            server.CredentialRequests.Enqueue(requestContext);
            return new(Token, DateTimeOffset.MaxValue);
        }

        public override ValueTask<AccessToken> GetTokenAsync(
            TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            new(GetToken(requestContext, cancellationToken));
    }
}
