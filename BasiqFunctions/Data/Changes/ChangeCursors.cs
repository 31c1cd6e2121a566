using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Azure.Security.KeyVault.Secrets;
using BasiqFunctions.Platform.Vault;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Data.Changes;

/// <summary>
/// Writes positions as cursors, and reads them: opaque, signed with HMAC-SHA256 by a key of this app's over the position, the user and the
/// account that is asked for. So a cursor is good for nothing but what it was given for, and nobody can make one up.
/// </summary>
/// <remarks>
/// The keys are the versions of a secret in Key Vault, which is made on first use. The current one signs; all that are enabled are taken, so that a
/// rotation ends no cursor, and to disable a version ends those that it signed.
/// </remarks>
public sealed class ChangeCursors(SecretClient secrets, TimeProvider clock, ILogger<ChangeCursors> logger)
{
    /// <summary>How long the current key is used without asking Key Vault again.</summary>
    internal static readonly TimeSpan KeyFreshFor = TimeSpan.FromMinutes(5);

    /// <summary>How often forged cursors can make this ask Key Vault.</summary>
    internal static readonly TimeSpan LeastBetweenLooks = TimeSpan.FromMinutes(1);

    /// <summary>Cursors last some months, and nobody rotates so often.</summary>
    private const int MostKeys = 12;

    private const byte InParts = 1;
    private const byte InWhole = 2;
    private const int FeedAt = 1;
    private const int PartAt = FeedAt + sizeof(ulong);
    private const int LineAt = PartAt + sizeof(long);
    private const int LengthInParts = LineAt + sizeof(long);
    private const int ReadAt = LineAt;
    private const int PlaceAt = ReadAt + sizeof(ulong);
    private const int LengthInWhole = PlaceAt + (4 * sizeof(int));
    private const int SignatureLength = 16;

    private readonly CachedSecret<byte[]> _key = new(
        _ => RandomSecret.GetOrCreateAsync(secrets, SecretNames.ChangeCursorKey, clock, logger, CancellationToken.None), KeyFreshFor, LeastBetweenLooks, clock);

    private readonly CachedSecret<IReadOnlyList<byte[]>> _allKeys = new(_ => ReadAllKeysAsync(secrets), LeastBetweenLooks, LeastBetweenLooks, clock);

    internal async Task<Cursor> WriteAsync(UserId userId, AccountId? accountId, ChangePosition position, CancellationToken cancellation) =>
        Write(await _key.GetAsync(cancellation), userId, accountId, position);

    /// <summary>The position; null of what this app did not give for this user and account.</summary>
    internal async Task<ChangePosition?> ReadAsync(UserId userId, AccountId? accountId, Cursor cursor, CancellationToken cancellation)
    {
        if (Decode(cursor) is not { } bytes)
            return null;
        if (!IsSignedWith(await _key.GetAsync(cancellation), userId, accountId, bytes)
            && !(await _allKeys.GetAsync(cancellation)).Any(key => IsSignedWith(key, userId, accountId, bytes)))
            return null;
        var feed = BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(FeedAt)).ToString("x16", CultureInfo.InvariantCulture);
        var part = BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(PartAt));
        return bytes[0] is InParts
            ? new ChangePosition(feed, part, BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(LineAt)))
            : new ChangePosition(feed, part, Whole: new WholePosition(
                BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(ReadAt)).ToString("x16", CultureInfo.InvariantCulture),
                Place(0), Place(1), Place(2), Place(3)));

        int Place(int index) => BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(PlaceAt + (index * sizeof(int))));
    }

    private static async Task<IReadOnlyList<byte[]>> ReadAllKeysAsync(SecretClient secrets)
    {
        List<SecretProperties> versions = [];
        await foreach (var version in secrets.GetPropertiesOfSecretVersionsAsync(SecretNames.ChangeCursorKey))
        {
            if (version.Enabled is not false)
                versions.Add(version);
        }

        List<byte[]> keys = [];
        foreach (var version in versions.OrderByDescending(version => version.CreatedOn).Take(MostKeys))
            keys.Add(Encoding.UTF8.GetBytes((await secrets.GetSecretAsync(version.Name, version.Version)).Value.Value));
        return keys;
    }

    private static Cursor Write(byte[] key, UserId userId, AccountId? accountId, ChangePosition position)
    {
        var length = position.Whole is null ? LengthInParts : LengthInWhole;
        Span<byte> bytes = stackalloc byte[LengthInWhole + SignatureLength];
        bytes = bytes[..(length + SignatureLength)];
        bytes[0] = position.Whole is null ? InParts : InWhole;
        BinaryPrimitives.WriteUInt64BigEndian(bytes[FeedAt..], Number(position.FeedId));
        BinaryPrimitives.WriteInt64BigEndian(bytes[PartAt..], position.Part);
        if (position.Whole is { } whole)
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes[ReadAt..], Number(whole.ReadId));
            BinaryPrimitives.WriteInt32BigEndian(bytes[PlaceAt..], whole.Account);
            BinaryPrimitives.WriteInt32BigEndian(bytes[(PlaceAt + 4)..], whole.Segment);
            BinaryPrimitives.WriteInt32BigEndian(bytes[(PlaceAt + 8)..], whole.Page);
            BinaryPrimitives.WriteInt32BigEndian(bytes[(PlaceAt + 12)..], whole.Row);
        }
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(bytes[LineAt..], position.Line);
        }

        Sign(key, userId, accountId, bytes[..length], bytes[length..]);
        return new(Base64Url.EncodeToString(bytes));
    }

    /// <summary>The bytes of what may be a cursor, of which there is one spelling; null of anything else.</summary>
    private static byte[]? Decode(Cursor cursor)
    {
        var text = cursor.Value;
        if (text.Length > Base64Url.GetEncodedLength(LengthInWhole + SignatureLength) || !Base64Url.IsValid(text, out var length) || length == 0)
            return null;
        var bytes = Base64Url.DecodeFromChars(text);
        return (bytes[0] is InParts && length == LengthInParts + SignatureLength) || (bytes[0] is InWhole && length == LengthInWhole + SignatureLength)
            ? Base64Url.EncodeToString(bytes) == text ? bytes : null
            : null;
    }

    private static bool IsSignedWith(byte[] key, UserId userId, AccountId? accountId, ReadOnlySpan<byte> bytes)
    {
        Span<byte> signature = stackalloc byte[SignatureLength];
        Sign(key, userId, accountId, bytes[..^SignatureLength], signature);
        return CryptographicOperations.FixedTimeEquals(signature, bytes[^SignatureLength..]);
    }

    /// <summary>Ids have no slash: no two of them can be taken for two others.</summary>
    private static void Sign(byte[] key, UserId userId, AccountId? accountId, ReadOnlySpan<byte> position, Span<byte> signature)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, (byte[])[.. Encoding.UTF8.GetBytes($"{userId}/{accountId}/"), .. position], hash);
        hash[..SignatureLength].CopyTo(signature);
    }

    private static ulong Number(string id) => ulong.Parse(id, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}

/// <summary>A place in a user's feed: where in the parts, or where in the whole with which it begins.</summary>
/// <param name="FeedId">The feed, <see cref="ManifestFeed.Id"/>.</param>
/// <param name="Part">The part that comes next; behind the whole the first that it does not have in it.</param>
/// <param name="Line">How much of that part has been read.</param>
/// <param name="Whole">Where in the whole; null behind it.</param>
internal sealed record ChangePosition(string FeedId, long Part, long Line = 0, WholePosition? Whole = null);

/// <summary>A place in a user's transactions.</summary>
/// <param name="ReadId">The note by which they are held.</param>
/// <param name="Account">The account's place in it.</param>
/// <param name="Segment">The segment's place.</param>
/// <param name="Page">The page's.</param>
/// <param name="Row">The transaction's.</param>
internal sealed record WholePosition(string ReadId, int Account, int Segment, int Page, int Row);
