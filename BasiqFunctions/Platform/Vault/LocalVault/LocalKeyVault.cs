using System.Text.Json.Serialization;
using Azure.Core;
using BasiqFunctions.Platform.Records;

namespace BasiqFunctions.Platform.Vault.LocalVault;

/// <summary>Secrets in a file of their own that only its owner can read, with Key Vault's versions and attributes.</summary>
internal sealed class LocalKeyVault(string path, TimeProvider time)
{
    /// <summary>How many versions of a secret are kept, so that the file does not grow with every token.</summary>
    private const int MaxVersions = 100;

    private readonly Lock _gate = new();
    private Dictionary<string, List<SecretVersion>>? _secrets;

    /// <summary>Reads the file, so that one that is damaged is noticed now and not by the first who needs a secret.</summary>
    /// <exception cref="StoreUnavailableException">It is damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public void Check()
    {
        lock (_gate)
            Load();
    }

    /// <summary>Adds a version of a secret and returns it.</summary>
    public SecretVersion Set(string name, string value, string? contentType, SecretAttributes attributes, Dictionary<string, string>? tags)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow().ToUnixTimeSeconds();
            var version = new SecretVersion(
                Guid.NewGuid().ToString("N"), value, contentType, tags,
                attributes with { Created = now, Updated = now, Enabled = attributes.Enabled ?? true });
            var secrets = Load();
            if (!secrets.TryGetValue(name, out var versions))
                secrets[name] = versions = [];
            versions.Add(version);
            versions.RemoveRange(0, Math.Max(0, versions.Count - MaxVersions));
            Save(secrets);
            return version;
        }
    }

    /// <summary>Finds a version of a secret; the newest when none is named.</summary>
    public SecretVersion? Find(string name, string? version)
    {
        lock (_gate)
        {
            var versions = Load().GetValueOrDefault(name);
            return string.IsNullOrEmpty(version) ? versions?[^1] : versions?.Find(v => v.Version == version);
        }
    }

    /// <summary>Lists the versions of a secret, oldest first; empty when there is no such secret.</summary>
    public IReadOnlyList<SecretVersion> Versions(string name)
    {
        lock (_gate)
            return [.. Load().GetValueOrDefault(name) ?? []];
    }

    /// <summary>Changes a version's attributes, content type and tags; what is null stays.</summary>
    public SecretVersion? Update(
        string name, string version, string? contentType, SecretAttributes? attributes, Dictionary<string, string>? tags)
    {
        lock (_gate)
        {
            var secrets = Load();
            if (secrets.GetValueOrDefault(name) is not { } versions)
                return null;
            var index = versions.FindIndex(v => v.Version == version);
            if (index < 0)
                return null;

            var old = versions[index];
            versions[index] = old with
            {
                ContentType = contentType ?? old.ContentType,
                Tags = tags ?? old.Tags,
                Attributes = old.Attributes with
                {
                    Enabled = attributes?.Enabled ?? old.Attributes.Enabled,
                    Expires = attributes?.Expires ?? old.Attributes.Expires,
                    NotBefore = attributes?.NotBefore ?? old.Attributes.NotBefore,
                    Updated = time.GetUtcNow().ToUnixTimeSeconds(),
                },
            };
            Save(secrets);
            return versions[index];
        }
    }

    private Dictionary<string, List<SecretVersion>> Load()
    {
        if (_secrets is not null)
            return _secrets;
        try
        {
            return _secrets = new(VaultFile.Read(File.ReadAllBytes(path)), StringComparer.OrdinalIgnoreCase);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // Only a file that is surely not there is an empty vault; one that cannot be read would be overwritten.
            return _secrets = new(StringComparer.OrdinalIgnoreCase);
        }
    }

    /// <summary>
    /// Replaces the file in one step: a kill in the middle leaves the old one. When that fails, nothing has changed: what is in
    /// memory is forgotten, and read again.
    /// </summary>
    private void Save(Dictionary<string, List<SecretVersion>> secrets)
    {
        _secrets = null;
        OwnerOnly.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var next = path + ".next";
        using (var file = OwnerOnly.CreateFile(next))
        {
            file.Write(VaultFile.Write(secrets));
            file.Flush(flushToDisk: true);
        }

        File.Move(next, path, overwrite: true);
        _secrets = secrets;
    }
}

/// <summary>One version of a secret, as the file keeps it.</summary>
internal sealed record SecretVersion(
    [property: JsonPropertyName("version")] string Version,
    [property: JsonPropertyName("value")] string Value,
    [property: JsonPropertyName("contentType")] string? ContentType,
    [property: JsonPropertyName("tags")] Dictionary<string, string>? Tags,
    [property: JsonPropertyName("attributes")] SecretAttributes Attributes)
{
    public override string ToString() => Version;
}

/// <summary>A version's attributes, in Key Vault's names; times are Unix seconds.</summary>
internal sealed record SecretAttributes(
    [property: JsonPropertyName("enabled")] bool? Enabled = null,
    [property: JsonPropertyName("exp")] long? Expires = null,
    [property: JsonPropertyName("nbf")] long? NotBefore = null,
    [property: JsonPropertyName("created")] long? Created = null,
    [property: JsonPropertyName("updated")] long? Updated = null);

/// <summary>Meets the local vault's challenge. Its token opens nothing: who may open the vault's file is the file system's business.</summary>
internal sealed class LocalCredential : TokenCredential
{
    public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
        new("local", DateTimeOffset.MaxValue);

    public override ValueTask<AccessToken> GetTokenAsync(
        TokenRequestContext requestContext, CancellationToken cancellationToken) =>
        ValueTask.FromResult(GetToken(requestContext, cancellationToken));
}
