using System.Buffers.Binary;
using System.Text;
using BasiqFunctions.Platform.Records;

namespace BasiqFunctions.Data;

/// <summary>
/// The trails of accounts that are being fetched, kept between one segment and the next in the memory of the machine that wrote the one:
/// usually it writes the next as well, and need not read them back. A trail stands for one attempt at one segment, and whoever goes on
/// takes it away: an attempt that is made twice, or again after a crash, finds none and reads what is written down.
/// </summary>
internal sealed class AccountTrails(TimeProvider clock)
{
    /// <summary>About 50 MB: more is read back.</summary>
    private const int MostFingerprints = 2_000_000;

    /// <summary>Nobody comes back for the trail of a sync that was stopped.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly Lock _lock = new();
    private readonly List<(string BlobName, AccountTrail Trail, DateTimeOffset KeptAt)> _kept = [];

    /// <summary>Keeps a trail that has a part already.</summary>
    public void Keep(AccountTrail trail)
    {
        if (trail.BlobName is not { } blobName)
            return;
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            _kept.RemoveAll(kept => kept.BlobName == blobName || now - kept.KeptAt > Patience);
            _kept.Add((blobName, trail, now));
            var total = _kept.Sum(kept => (long)kept.Trail.Count);
            while (_kept.Count > 1 && total > MostFingerprints)
            {
                total -= _kept[0].Trail.Count;
                _kept.RemoveAt(0);
            }
        }
    }

    /// <summary>Takes a trail away; null when it is not here.</summary>
    public AccountTrail? Take(string blobName)
    {
        lock (_lock)
        {
            var at = _kept.FindIndex(kept => kept.BlobName == blobName);
            if (at < 0)
                return null;
            var trail = _kept[at].Trail;
            _kept.RemoveAt(at);
            return trail;
        }
    }
}

/// <summary>
/// What has been fetched of an account so far, by fingerprints: so that a transaction that a shifted page brings again counts once, and
/// pages that lead in a circle come to an end. A sync fetches an account segment by segment, on any machine; each segment's part of the
/// trail lies beside it while there is more to come, and names the part before it. Not for several threads at once.
/// </summary>
public sealed class AccountTrail
{
    /// <summary>More pages in a row without a transaction that is new, and the account has no end.</summary>
    public const int MostPagesWithoutNews = 50;

    private const byte Version = 1;
    private const int AttemptLength = 8;
    private const int FirstPartLength = 4 * 1024;
    private const int HeaderLength = 1 + AttemptLength + (3 * sizeof(int));

    private readonly FingerprintSet _transactions = new();
    private readonly FingerprintSet _links = new();
    private readonly List<Fingerprint> _newLinks = [];

    // The part that is being made: room for its beginning, and the transactions. It is used again for the next.
    private byte[] _part = new byte[FirstPartLength];
    private int _length = HeaderLength;
    private bool _hasNews;

    internal AccountTrail(UserId userId, RunId runId, AccountId accountId, int segment, string? before) =>
        (UserId, RunId, AccountId, Segment, Before) = (userId, runId, accountId, segment, before);

    internal UserId UserId { get; }

    internal RunId RunId { get; }

    internal AccountId AccountId { get; }

    /// <summary>The segment that comes next.</summary>
    internal int Segment { get; private set; }

    /// <summary>The attempt that wrote the segment before that; null where there is none.</summary>
    internal string? Before { get; private set; }

    /// <summary>The name of its last part; null where there is none.</summary>
    internal string? BlobName => Before is null ? null : SnapshotPaths.Trail(UserId, RunId, AccountId, Segment - 1, Before);

    /// <summary>Pages in a row, up to now, without a transaction that was new.</summary>
    public int PagesWithoutNews { get; private set; }

    /// <summary>How many fingerprints it holds.</summary>
    internal int Count => _transactions.Count + _links.Count;

    /// <summary>Whether a link leads somewhere new; it has been followed from now on.</summary>
    public bool Follows(string link)
    {
        var fingerprint = Fingerprint.Of(Encoding.UTF8.GetBytes(link));
        if (!_links.Add(fingerprint))
            return false;
        _newLinks.Add(fingerprint);
        return true;
    }

    /// <summary>Whether a transaction is new; it is known from now on.</summary>
    /// <param name="id">The transaction's id, UTF-8.</param>
    public bool Takes(ReadOnlySpan<byte> id)
    {
        var fingerprint = Fingerprint.Of(id);
        if (!_transactions.Add(fingerprint))
            return false;
        Write(fingerprint);
        return _hasNews = true;
    }

    /// <summary>Ends a page.</summary>
    public void EndPage()
    {
        PagesWithoutNews = _hasNews ? 0 : PagesWithoutNews + 1;
        _hasNews = false;
    }

    /// <summary>Ends the part of the trail that belongs to a segment, to lie beside it.</summary>
    /// <param name="attempt">The attempt that wrote the segment.</param>
    /// <returns>The part; good until the trail goes on.</returns>
    internal ReadOnlyMemory<byte> EndSegment(string attempt)
    {
        var transactions = (_length - HeaderLength) / Fingerprint.Length;
        foreach (var link in _newLinks)
            Write(link);
        _part[0] = Version;
        _part.AsSpan(1, AttemptLength).Clear();
        Encoding.ASCII.GetBytes(Before ?? "", _part.AsSpan(1, AttemptLength));
        var numbers = _part.AsSpan(1 + AttemptLength);
        BinaryPrimitives.WriteInt32LittleEndian(numbers, PagesWithoutNews);
        BinaryPrimitives.WriteInt32LittleEndian(numbers[4..], transactions);
        BinaryPrimitives.WriteInt32LittleEndian(numbers[8..], _newLinks.Count);
        Reserve(sizeof(uint));
        BinaryPrimitives.WriteUInt32LittleEndian(_part.AsSpan(_length), Crc32C.Compute(_part.AsSpan(0, _length)));
        var part = _part.AsMemory(0, _length + sizeof(uint));
        _newLinks.Clear();
        _length = HeaderLength;
        (Segment, Before) = (Segment + 1, attempt);
        return part;
    }

    /// <summary>Takes in a part that was written down. The last part comes first: it tells how many pages brought nothing new.</summary>
    /// <returns>The attempt that wrote the segment before that part's; null for the first.</returns>
    /// <exception cref="SnapshotCorruptException">It is damaged.</exception>
    internal string? TakeIn(string blobName, ReadOnlySpan<byte> bytes, bool isLast)
    {
        var content = bytes.Length - sizeof(uint);
        if (content < HeaderLength || bytes[0] != Version || BinaryPrimitives.ReadUInt32LittleEndian(bytes[content..]) != Crc32C.Compute(bytes[..content]))
            throw new SnapshotCorruptException(blobName, "it has another checksum");
        var numbers = bytes[(1 + AttemptLength)..];
        int transactions = BinaryPrimitives.ReadInt32LittleEndian(numbers[4..]), links = BinaryPrimitives.ReadInt32LittleEndian(numbers[8..]);
        if (links < 0 || transactions < 0 || HeaderLength + ((links + (long)transactions) * Fingerprint.Length) != content)
            throw new SnapshotCorruptException(blobName, "it is for another length");
        if (isLast)
            PagesWithoutNews = BinaryPrimitives.ReadInt32LittleEndian(numbers);
        for (var i = 0; i < links + transactions; i++)
            (i < transactions ? _transactions : _links).Add(Fingerprint.Read(bytes[(HeaderLength + (i * Fingerprint.Length))..]));
        return bytes[1] == 0 ? null : Encoding.ASCII.GetString(bytes.Slice(1, AttemptLength));
    }

    private void Write(Fingerprint fingerprint)
    {
        Reserve(Fingerprint.Length);
        fingerprint.Write(_part.AsSpan(_length));
        _length += Fingerprint.Length;
    }

    private void Reserve(int bytes)
    {
        if (_length + bytes > _part.Length)
            Array.Resize(ref _part, _part.Length * 2);
    }
}
