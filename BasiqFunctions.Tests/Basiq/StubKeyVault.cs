using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Security.KeyVault.Secrets;

namespace BasiqFunctions.Tests.Basiq;

/// <summary>Key Vault's REST protocol for secrets, in memory, behind a real <see cref="SecretClient"/>.</summary>
internal sealed class StubKeyVault(TimeProvider clock) : HttpMessageHandler
{
    private const string Vault = "https://stub.vault.azure.net";
    private readonly Lock _gate = new();
    private readonly List<Version> _versions = [];
    private int _numbers;

    /// <summary>When set, what every request gets instead of an answer.</summary>
    public Func<HttpResponseMessage>? Outage { get; set; }

    /// <summary>Runs before a secret is stored, outside the lock: another instance's chance to be first.</summary>
    public Action? BeforeStore { get; set; }

    public int Reads { get; private set; }

    public SecretClient CreateClient()
    {
        var options = new SecretClientOptions { Retry = { MaxRetries = 0 } };
        options.Transport = new HttpClientTransport(new HttpClient(this, disposeHandler: false));
        return new(new Uri(Vault), new NoCredential(), options);
    }

    public IReadOnlyList<Version> Versions(string name)
    {
        lock (_gate)
            return [.. _versions.Where(version => version.Name == name)];
    }

    public Version Put(string name, string value, DateTimeOffset? expiresOn = null, bool enabled = true, JsonNode? tags = null)
    {
        lock (_gate)
        {
            var version = new Version(name, string.Create(CultureInfo.InvariantCulture, $"v{++_numbers:D4}"), value, clock.GetUtcNow(), tags?.DeepClone())
            {
                Enabled = enabled,
                ExpiresOn = expiresOn,
            };
            _versions.Add(version);
            return version;
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (Outage is { } outage)
            return outage();
        if (request.Headers.Authorization is null)
        {
            var challenge = new HttpResponseMessage(HttpStatusCode.Unauthorized);
            challenge.Headers.TryAddWithoutValidation(
                "WWW-Authenticate", "Bearer authorization=\"https://login.microsoftonline.com/tenant\", resource=\"https://vault.azure.net\"");
            return challenge;
        }

        var path = request.RequestUri!.AbsolutePath.Trim('/').Split('/');
        var name = path[1];
        var body = request.Content is null ? null : JsonNode.Parse(await request.Content.ReadAsStringAsync(cancellationToken));
        if (request.Method == HttpMethod.Put)
        {
            BeforeStore?.Invoke();
            var attributes = body!["attributes"];
            DateTimeOffset? expiresOn = attributes?["exp"] is { } exp ? DateTimeOffset.FromUnixTimeSeconds((long)exp) : null;
            return Answer(Put(name, (string)body["value"]!, expiresOn, tags: body["tags"]).ToJson());
        }

        lock (_gate)
        {
            var versions = _versions.Where(version => version.Name == name).ToList();
            if (path is [_, _, "versions"])
                return Answer(new JsonObject { ["value"] = new JsonArray([.. versions.Select(version => version.ToJson())]) });
            var one = path.Length > 2 ? versions.SingleOrDefault(version => version.Number == path[2]) : versions.LastOrDefault();
            if (one is null)
                return Failure(HttpStatusCode.NotFound, "SecretNotFound");
            if (request.Method == HttpMethod.Patch)
            {
                one.Enabled = (bool)body!["attributes"]!["enabled"]!;
                return Answer(one.ToJson());
            }

            Reads++;
            return one.Enabled ? Answer(one.ToJson()) : Failure(HttpStatusCode.Forbidden, "Forbidden");
        }
    }

    public static HttpResponseMessage Failure(HttpStatusCode status, string code) =>
        new(status)
        {
            Content = new StringContent(
                $$$"""{"error":{"code":"{{{code}}}","message":"No."}}""", Encoding.UTF8, "application/json"),
        };

    private static HttpResponseMessage Answer(JsonNode json) =>
        new(HttpStatusCode.OK) { Content = new StringContent(json.ToJsonString(), Encoding.UTF8, "application/json") };

    internal sealed record Version(string Name, string Number, string Value, DateTimeOffset CreatedOn, JsonNode? Tags)
    {
        public bool Enabled { get; set; }

        public DateTimeOffset? ExpiresOn { get; set; }

        public JsonObject ToJson()
        {
            var attributes = new JsonObject { ["enabled"] = Enabled, ["created"] = CreatedOn.ToUnixTimeSeconds() };
            if (ExpiresOn is { } expiresOn)
                attributes["exp"] = expiresOn.ToUnixTimeSeconds();
            return new()
            {
                ["id"] = $"{Vault}/secrets/{Name}/{Number}",
                ["value"] = Value,
                ["attributes"] = attributes,
                ["tags"] = Tags?.DeepClone() ?? new JsonObject(),
            };
        }
    }

    private sealed class NoCredential : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            new("vault-access", DateTimeOffset.MaxValue);

        public override ValueTask<AccessToken> GetTokenAsync(
            TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            new(GetToken(requestContext, cancellationToken));
    }
}
