using Azure.Core;

namespace BasiqFunctions.Platform.Vault.LocalVault;

/// <summary>Meets the local vault's challenge. Its token opens nothing: who may open the vault's file is the file system's business.</summary>
internal sealed class LocalCredential : TokenCredential
{
    public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
        new("local", DateTimeOffset.MaxValue);

    public override ValueTask<AccessToken> GetTokenAsync(
        TokenRequestContext requestContext, CancellationToken cancellationToken) =>
        ValueTask.FromResult(GetToken(requestContext, cancellationToken));
}
