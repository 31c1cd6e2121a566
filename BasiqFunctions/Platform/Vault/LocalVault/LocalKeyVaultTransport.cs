using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Records;

namespace BasiqFunctions.Platform.Vault.LocalVault;

/// <summary>
/// Answers a <c>SecretClient</c> as Key Vault would, from a local file: the app keeps its one code path, and a developer needs
/// no vault.
/// </summary>
/// <remarks>
/// Set, get, list versions and update, as in Microsoft Learn, "Azure Key Vault REST API reference: Secrets". A client sends its
/// first request without a body and expects the challenge that Key Vault sends; <see cref="LocalCredential"/> meets it.
/// </remarks>
internal sealed class LocalKeyVaultTransport(LocalKeyVault vault) : HttpPipelineTransport
{
    /// <summary>Where the vault seems to be; never contacted.</summary>
    public static readonly Uri VaultUri = new("https://local-file.vault.azure.net/");

    /// <summary>A client of the vault: the real one, but for what carries its requests.</summary>
    public static SecretClient CreateClient(LocalKeyVault vault) => new(
        VaultUri, new LocalCredential(), new SecretClientOptions
        {
            // A file that is out of reach for longer than a moment will stay so for long.
            Retry = { MaxRetries = 2, Delay = TimeSpan.FromMilliseconds(100), MaxDelay = TimeSpan.FromMilliseconds(500) },
            Transport = new LocalKeyVaultTransport(vault),
        });

    public override Request CreateRequest() => new LocalRequest();

    public override void Process(HttpMessage message) =>
        throw new NotSupportedException("The app calls Key Vault asynchronously.");

    public override async ValueTask ProcessAsync(HttpMessage message)
    {
        var request = message.Request;
        if (!request.Headers.Contains("Authorization"))
        {
            message.Response = Challenge();
            return;
        }

        using var body = new MemoryStream();
        if (request.Content is { } content)
            await content.WriteToAsync(body, message.CancellationToken);
        try
        {
            message.Response = Answer(request.Method, request.Uri.ToUri(), body.GetBuffer().AsSpan(0, (int)body.Length));
        }
        catch (Exception e) when (StoreUnavailableException.CodeOf(e) is { } code)
        {
            // A vault whose file cannot be used is a vault that is down, and the app knows how to live with that.
            message.Response = Error(503, code, "The vault's file cannot be used.");
        }
    }

    private static LocalResponse Challenge()
    {
        var answer = Error(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.");
        answer.Add(
            "WWW-Authenticate",
            "Bearer authorization=\"https://login.microsoftonline.com/local\", resource=\"https://vault.azure.net\"");
        return answer;
    }

    private LocalResponse Answer(RequestMethod method, Uri uri, ReadOnlySpan<byte> body)
    {
        string[] path = [.. uri.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString)];
        return (method.Method, path) switch
        {
            ("PUT", ["secrets", var name]) => Set(name, Read(body)),
            ("GET", ["secrets", var name]) => Get(name, null),
            ("GET", ["secrets", var name, "versions"]) => List(name),
            ("GET", ["secrets", var name, var version]) => Get(name, version),
            ("PATCH", ["secrets", var name, var version]) => Update(name, version, Read(body)),
            _ => Error(501, "NotImplemented", $"The local vault does not answer {method.Method} for this path."),
        };
    }

    private LocalResponse Set(string name, SecretRequest request) => request.Value is null
        ? Error(400, "BadParameter", "The property 'value' is missing.")
        : Bundle(name, vault.Set(
            name, request.Value, request.ContentType, request.Attributes ?? new SecretAttributes(), request.Tags));

    private LocalResponse Get(string name, string? version) => vault.Find(name, version) switch
    {
        null => Error(404, "SecretNotFound", $"A secret with (name/id) {name} was not found in this key vault."),
        { Attributes.Enabled: false } => Error(403, "Forbidden", "Operation get is not allowed on a disabled secret.", KeyVaultErrors.Disabled),
        { } found => Bundle(name, found),
    };

    private LocalResponse List(string name) =>
        Json(200, new SecretPage([.. vault.Versions(name).Select(v => ToBundle(name, v) with { Value = null })], null));

    private LocalResponse Update(string name, string version, SecretRequest request) =>
        vault.Update(name, version, request.ContentType, request.Attributes, request.Tags) is { } updated
            ? Json(200, ToBundle(name, updated) with { Value = null })
            : Error(404, "SecretNotFound", $"A secret with (name/id) {name} was not found in this key vault.");

    private static SecretRequest Read(ReadOnlySpan<byte> body) =>
        JsonSerializer.Deserialize(body, AppJson.Of<SecretRequest>())!;

    private static LocalResponse Bundle(string name, SecretVersion version) =>
        Json(200, ToBundle(name, version));

    private static SecretBundle ToBundle(string name, SecretVersion version) => new(
        $"{VaultUri}secrets/{name}/{version.Version}", version.Value, version.ContentType, version.Attributes, version.Tags);

    private static LocalResponse Error(int status, string code, string message, string? inner = null) =>
        Json(status, new KeyVaultError(new KeyVaultErrorBody(code, message, inner is null ? null : new KeyVaultInnerError(inner))));

    private static LocalResponse Json<T>(int status, T body) =>
        new(status, JsonSerializer.SerializeToUtf8Bytes(body, AppJson.Of<T>()));

    /// <summary>A request that never leaves the process.</summary>
    private sealed class LocalRequest : Request
    {
        private readonly HeaderBag _headers = new();

        public override string ClientRequestId { get; set; } = Guid.NewGuid().ToString();

        protected override void AddHeader(string name, string value) => _headers.Add(name, value);

        protected override bool TryGetHeader(string name, [NotNullWhen(true)] out string? value) => _headers.TryGet(name, out value);

        protected override bool TryGetHeaderValues(string name, [NotNullWhen(true)] out IEnumerable<string>? values) =>
            _headers.TryGetAll(name, out values);

        protected override bool ContainsHeader(string name) => _headers.TryGet(name, out _);

        protected override bool RemoveHeader(string name) => _headers.Remove(name);

        protected override IEnumerable<HttpHeader> EnumerateHeaders() => _headers.All;

        public override void Dispose() => Content?.Dispose();
    }

    /// <summary>An answer that never left the process.</summary>
    private sealed class LocalResponse : Response
    {
        private readonly HeaderBag _headers = new();

        public LocalResponse(int status, byte[] body)
        {
            Status = status;
            ContentStream = new MemoryStream(body, 0, body.Length, writable: false, publiclyVisible: true);
            _headers.Add("Content-Type", "application/json; charset=utf-8");
        }

        public void Add(string name, string value) => _headers.Add(name, value);

        public override int Status { get; }

        public override string ReasonPhrase => "";

        public override Stream? ContentStream { get; set; }

        public override string ClientRequestId { get; set; } = "";

        protected override bool TryGetHeader(string name, [NotNullWhen(true)] out string? value) => _headers.TryGet(name, out value);

        protected override bool TryGetHeaderValues(string name, [NotNullWhen(true)] out IEnumerable<string>? values) =>
            _headers.TryGetAll(name, out values);

        protected override bool ContainsHeader(string name) => _headers.TryGet(name, out _);

        protected override IEnumerable<HttpHeader> EnumerateHeaders() => _headers.All;

        /// <summary>Nothing: the SDK's own transport leaves a body that is in memory to be read by who catches the exception.</summary>
        public override void Dispose()
        {
        }
    }

    private sealed class HeaderBag
    {
        private readonly List<HttpHeader> _headers = [];

        public IEnumerable<HttpHeader> All => _headers;

        public void Add(string name, string value) => _headers.Add(new HttpHeader(name, value));

        public bool Remove(string name) => _headers.RemoveAll(h => Is(h, name)) > 0;

        public bool TryGet(string name, [NotNullWhen(true)] out string? value)
        {
            var found = TryGetAll(name, out var values);
            value = found ? string.Join(", ", values!) : null;
            return found;
        }

        public bool TryGetAll(string name, [NotNullWhen(true)] out IEnumerable<string>? values)
        {
            List<string> found = [.. _headers.Where(h => Is(h, name)).Select(h => h.Value)];
            values = found.Count == 0 ? null : found;
            return found.Count > 0;
        }

        private static bool Is(HttpHeader header, string name) =>
            string.Equals(header.Name, name, StringComparison.OrdinalIgnoreCase);
    }
}
