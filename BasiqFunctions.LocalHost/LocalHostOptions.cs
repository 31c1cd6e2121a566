namespace BasiqFunctions.LocalHost;

/// <summary>Settings of the host itself, from the configuration section <c>LocalHost</c>.</summary>
internal sealed class LocalHostOptions
{
    public const string Section = "LocalHost";

    /// <summary>Where the journal, the secrets and the snapshots of this host live. Owner-only, ignored by git.</summary>
    public string StateDirectory { get; set; } = ".local";

    /// <summary>How many activities run at once.</summary>
    public int MaxConcurrentActivities { get; set; } = 16;

    /// <summary>
    /// The key that callers of functions bring, as header <c>x-functions-key</c> or as <c>?code=</c>. Needed when the host listens
    /// on more than loopback; none by default, as with Core Tools. A blank one is none: nobody would have to know it.
    /// </summary>
    public string? FunctionKey { get; set => field = string.IsNullOrWhiteSpace(value) ? null : value; }

    /// <summary>
    /// The key that callers of the functions of level <c>Admin</c> bring in the same way, and that opens the others, too. Without it those
    /// functions are closed once <see cref="FunctionKey"/> is set, and open otherwise.
    /// </summary>
    public string? AdminKey { get; set => field = string.IsNullOrWhiteSpace(value) ? null : value; }

    /// <summary>
    /// Whether the data of a Basiq account may lie in this host's files as it is. They are not encrypted: a key beside them would keep
    /// nobody out.
    /// </summary>
    public bool AllowPlain { get; set; }

    /// <summary>Whether this host subscribes to the webhooks of the sandbox that it starts. It never does to Basiq's own.</summary>
    public bool SubscribeToSandbox { get; set; } = true;
}
