using System.Runtime.InteropServices;

namespace BasiqFunctions.Platform.Records;

/// <summary>A store on this machine's disk cannot be used. The message names no content.</summary>
/// <param name="store">Which: <c>snapshots</c>, <c>records</c>, <c>key-vault</c>.</param>
/// <param name="code">Why, in a word or two.</param>
/// <param name="innerException">What the disk said.</param>
public sealed class StoreUnavailableException(string store, string code, Exception? innerException = null)
    : Exception($"The store '{store}' cannot be used: {code}.", innerException)
{
    /// <summary>There is no room left for what is to be written.</summary>
    internal const string DiskFull = "disk-full";

    /// <summary>The disk takes no writes.</summary>
    internal const string ReadOnly = "read-only";

    /// <summary>The user who runs the app may not.</summary>
    internal const string NoPermission = "no-permission";

    /// <summary>What is there is not what was written.</summary>
    internal const string Damaged = "damaged";

    /// <summary>Another program has locked it for itself.</summary>
    internal const string Locked = "locked";

    /// <summary>The folder or the disk is not there, or something else is in its place.</summary>
    internal const string OutOfReach = "out-of-reach";

    /// <summary>Which store.</summary>
    public string Store { get; } = store;

    /// <summary>Why.</summary>
    public string Code { get; } = code;

    /// <summary>Whether it is one of the codes above.</summary>
    internal static bool IsCode(string code) => code is DiskFull or ReadOnly or NoPermission or Damaged or Locked or OutOfReach;

    /// <summary>The code of what a file system threw; null for what no file system throws.</summary>
    internal static string? CodeOf(Exception exception) => exception switch
    {
        StoreUnavailableException told => told.Code,
        UnauthorizedAccessException => NoPermission,
        IOException io => CodeOf(io.HResult),
        _ => null,
    };

    /// <summary>By the system's own numbers: Windows' as HRESULTs, elsewhere errno as it is.</summary>
    private static string CodeOf(int error) => error switch
    {
        unchecked((int)0x80070070) or unchecked((int)0x80070027) => DiskFull,
        unchecked((int)0x80070013) => ReadOnly,
        _ when OperatingSystem.IsWindows() => OutOfReach,

        // ENOSPC, EFBIG, EROFS; EDQUOT differs.
        28 or 27 => DiskFull,
        30 => ReadOnly,
        122 when RuntimeInformation.IsOSPlatform(OSPlatform.Linux) => DiskFull,
        69 when RuntimeInformation.IsOSPlatform(OSPlatform.OSX) => DiskFull,
        _ => OutOfReach,
    };
}
