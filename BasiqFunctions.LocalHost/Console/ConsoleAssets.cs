using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace BasiqFunctions.LocalHost.Console;

/// <summary>
/// The files of the console, which are part of this assembly. Those that pages load stand below a path that names what is in them
/// all, so that browsers keep them for good; the pages themselves, in which <c>{assets}</c> stands for that path, are asked for anew.
/// </summary>
internal sealed class ConsoleAssets
{
    private const string Prefix = "console/";

    private static readonly FrozenDictionary<string, string> ContentTypes = new Dictionary<string, string>
    {
        [".html"] = "text/html; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly FrozenDictionary<string, ConsoleAsset> _assets;

    private ConsoleAssets(string version, FrozenDictionary<string, ConsoleAsset> assets)
    {
        Version = version;
        _assets = assets;
    }

    /// <summary>Differs whenever a file does.</summary>
    public string Version { get; }

    /// <summary>The names of all files.</summary>
    public IEnumerable<string> Names => _assets.Keys;

    public ConsoleAsset? Find(string name) => _assets.GetValueOrDefault(name);

    /// <summary>Reads the files of this assembly.</summary>
    public static ConsoleAssets Load()
    {
        var assembly = typeof(ConsoleAssets).Assembly;
        var files = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name => (Name: name[Prefix.Length..], Content: Read(assembly, name)))
            .ToArray();
        var version = VersionOf(files);
        return new ConsoleAssets(
            version,
            files.ToFrozenDictionary(
                file => file.Name,
                file => new ConsoleAsset(
                    ContentTypes[Path.GetExtension(file.Name)],
                    file.Name.EndsWith(".html", StringComparison.Ordinal) ? Page(file.Content, version) : file.Content),
                StringComparer.Ordinal));
    }

    private static byte[] Page(byte[] content, string version) =>
        Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(content).Replace("{assets}", $"/console/assets/{version}", StringComparison.Ordinal));

    private static string VersionOf((string Name, byte[] Content)[] files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, content) in files)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            hash.AppendData(SHA256.HashData(content));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    private static byte[] Read(Assembly assembly, string name)
    {
        using var stream = assembly.GetManifestResourceStream(name)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
