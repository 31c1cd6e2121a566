namespace BasiqFunctions.Basiq.Auth;

/// <summary>The Basiq API key as issued: already what the Basic scheme wants, never encoded again.</summary>
/// <param name="value">The key, a secret.</param>
public sealed class ApiKey(string value)
{
    /// <summary>The key itself, for the one header that needs it.</summary>
    internal string Value { get; } = value;

    /// <summary>That header. The key goes out as issued (Basiq, Quickstart: API, step 1).</summary>
    internal string Authorization { get; } = "Basic " + value;

    /// <summary>The type's name, never the key.</summary>
    public override string ToString() => nameof(ApiKey);
}
