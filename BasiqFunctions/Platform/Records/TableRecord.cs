using System.Diagnostics.CodeAnalysis;

namespace BasiqFunctions.Platform.Records;

/// <summary>A record of a table: a few bytes under a name.</summary>
/// <param name="Partition">What belongs together, and can be listed together.</param>
/// <param name="Row">The record's name in its partition; a partition is listed in the order of these.</param>
/// <param name="Content">What is kept, at most <see cref="MaxContentBytes"/>.</param>
public sealed record TableRecord(string Partition, string Row, byte[] Content)
{
    /// <summary>The most that a record holds, in bytes: two properties of an Azure table.</summary>
    public const int MaxContentBytes = 128 * 1024;

    /// <summary>The longest name of a partition or a row, in characters.</summary>
    public const int MaxNameLength = 128;

    /// <summary>What is kept, at most <see cref="MaxContentBytes"/>.</summary>
    /// <exception cref="StoreUnavailableException">It is damaged.</exception>
    [SuppressMessage("Performance", "CA1819", Justification = "Tables take and give it as it is.")]
    public byte[] Content { get => Damage is null ? field : throw Damage; init; } = Content;

    /// <summary>From then on it counts for nothing and may be removed; null for one that stays. A table gives it until it is.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Which version of the record this is; null of one that has not been stored.</summary>
    public string? ETag { get; init; }

    /// <summary>Over all that is stored of it; null of one that has not been stored, or was before there were checksums.</summary>
    internal uint? Checksum { get; init; }

    /// <summary>That what was read is not what had been stored; null of a sound record.</summary>
    internal StoreUnavailableException? Damage { get; init; }

    /// <summary>Whether it still counts.</summary>
    public bool IsLiveAt(DateTimeOffset now) => !(ExpiresAt <= now);

    /// <summary>Names alone: the content may be personal data.</summary>
    public override string ToString() => $"{nameof(TableRecord)} {Partition}/{Row}";

    /// <summary>What is about to be stored, once its names and its size are known to suit every table.</summary>
    /// <exception cref="ArgumentException">They do not.</exception>
    internal TableRecord Checked()
    {
        CheckName(Partition);
        CheckName(Row);
        return Content.Length <= MaxContentBytes ? this : throw new ArgumentException($"A record holds {MaxContentBytes} bytes at most.");
    }

    /// <summary>
    /// Names have 1 to 128 ASCII letters, digits, <c>-</c>, <c>_</c>, <c>.</c> and <c>:</c>. All tables take these, and order them
    /// alike.
    /// </summary>
    internal static string CheckName(string name) =>
        name.Length is > 0 and <= MaxNameLength && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':')
            ? name
            : throw new ArgumentException("Not a name of a partition or a row.", nameof(name));
}
