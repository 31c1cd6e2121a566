namespace BasiqFunctions.Basiq;

/// <summary>What authorizes a request to Basiq.</summary>
internal enum BasiqCredential
{
    /// <summary>The SERVER_ACCESS token, as bearer.</summary>
    ServerToken,

    /// <summary>The API key as issued, for <c>POST /token</c>.</summary>
    ApiKey,

    /// <summary>A CLIENT_ACCESS token that the call brings, as bearer.</summary>
    ClientToken,
}
