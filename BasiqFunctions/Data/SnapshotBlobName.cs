using System.Buffers;

namespace BasiqFunctions.Data;

/// <summary>
/// Refuses what <see cref="ISnapshotStorage"/> does not allow as a name, so that no implementation can be led out of its own
/// space.
/// </summary>
internal static class SnapshotBlobName
{
    private const int MaxLength = 512;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    public static string Check(string name)
    {
        if (name.Length is 0 or > MaxLength || !AreSegments(name))
            throw new ArgumentException("Not a name of a snapshot blob.", nameof(name));
        return name;
    }

    public static string CheckPrefix(string prefix)
    {
        if (prefix.Length > 0 && (prefix.Length > MaxLength || prefix[^1] != '/' || !AreSegments(prefix.AsSpan(0, prefix.Length - 1))))
            throw new ArgumentException("A prefix of snapshot blobs is a name that ends in '/', or empty.", nameof(prefix));
        return prefix;
    }

    private static bool AreSegments(ReadOnlySpan<char> path)
    {
        foreach (var range in path.Split('/'))
        {
            var segment = path[range];
            if (segment.IsEmpty || segment[0] == '.' || segment.ContainsAnyExcept(Allowed))
                return false;
        }
        return true;
    }
}
