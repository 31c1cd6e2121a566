namespace BasiqFunctions.Client;

/// <summary>Where the app is, and how to be let in.</summary>
public sealed class BasiqFunctionsClientOptions
{
    /// <summary>The API up to and including <c>/api</c>, such as <c>https://my-app.azurewebsites.net/api</c>.</summary>
    public Uri? BaseUrl { get; set; }

    /// <summary>The function key, where the app asks for one. It is sent to the host of <see cref="BaseUrl"/> alone, and by https unless that is this machine.</summary>
    public string? FunctionKey { get; set; }
}
