using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Vault.LocalVault;

namespace BasiqFunctions.Tests.Users;

/// <summary>A Key Vault in a file that counts its requests and can be switched off.</summary>
internal sealed class SwitchableVault : HttpPipelineTransport
{
    private readonly LocalKeyVaultTransport _inner;
    private int _requests;

    public SwitchableVault(string file, TimeProvider clock)
    {
        Secrets = new LocalKeyVault(file, clock);
        _inner = new LocalKeyVaultTransport(Secrets);
    }

    public LocalKeyVault Secrets { get; }

    public bool IsDown { get; set; }

    public bool IsStuck { get; set; }

    public int Requests => _requests;

    public SecretClient CreateClient() => new(
        LocalKeyVaultTransport.VaultUri,
        new AnyCredential(),
        new SecretClientOptions { Transport = this, Retry = { MaxRetries = 0 } });

    public override Request CreateRequest() => _inner.CreateRequest();

    public override void Process(HttpMessage message) => throw new NotSupportedException();

    public override async ValueTask ProcessAsync(HttpMessage message)
    {
        // A client's very first request comes without credential, to be told where to get one.
        if (message.Request.Headers.Contains("Authorization"))
            Interlocked.Increment(ref _requests);
        if (IsStuck)
            await Task.Delay(Timeout.Infinite, message.CancellationToken);
        if (IsDown)
            throw new Azure.RequestFailedException("No route to the vault.");
        await _inner.ProcessAsync(message);
    }

    private sealed class AnyCredential : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            new("vault-credential", DateTimeOffset.MaxValue);

        public override ValueTask<AccessToken> GetTokenAsync(
            TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            new(GetToken(requestContext, cancellationToken));
    }
}
