using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace BasiqFunctions.Platform.Idempotency;

/// <summary>
/// What a caller sends as <c>Idempotency-Key</c>: a structured-field string in quotation marks (IETF draft "The Idempotency-Key
/// HTTP Header Field"), or, as many clients send it, the same without them; both spellings are one key. The key itself is stored
/// nowhere: it may say something about a person.
/// </summary>
internal sealed class IdempotencyKey
{
    /// <summary>The header's name.</summary>
    public const string Header = "Idempotency-Key";

    /// <summary>What the header is for, for the description of the API.</summary>
    public const string Meaning =
        "1 to 255 printable ASCII characters of the caller's choice: the same key with the same content is carried out once, and "
        + "answered alike for 24 hours.";

    /// <summary>The longest key, in characters.</summary>
    public const int MaxLength = 255;

    private readonly byte[] _key;

    private IdempotencyKey(string text)
    {
        _key = Encoding.ASCII.GetBytes(text);
        Id = Convert.ToHexStringLower(SHA256.HashData(_key));
    }

    /// <summary>The name of the key's record: 64 hexadecimal digits that do not give the key away.</summary>
    public string Id { get; }

    /// <summary>The key itself, for deriving others from it.</summary>
    public ReadOnlySpan<byte> Bytes => _key;

    /// <summary>Reads the header; null when it is not exactly one key of 1 to 255 printable ASCII characters.</summary>
    public static IdempotencyKey? Parse(StringValues header) =>
        header is [{ } text] && Unquoted(text.Trim(' ', '\t')) is { Length: > 0 and <= MaxLength } key && key.All(c => c is >= ' ' and <= '~')
            ? new IdempotencyKey(key)
            : null;

    /// <summary>
    /// What tells one request from another: the method, the route and the body's meaning. Keyed by the caller's key, since of a
    /// plain hash the personal data behind it could be guessed.
    /// </summary>
    public string FingerprintOf(string endpoint, ReadOnlySpan<byte> canonicalBody)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        hash.AppendData(Encoding.UTF8.GetBytes(endpoint));
        hash.AppendData("\n"u8);
        hash.AppendData(canonicalBody);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The text of a structured-field string (RFC 9651, section 3.3.3); anything else as it is, null when it is neither.</summary>
    private static string? Unquoted(string text)
    {
        if (!text.StartsWith('"'))
            return text.Contains('"', StringComparison.Ordinal) ? null : text;
        var key = new StringBuilder(text.Length);
        for (var i = 1; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '"':
                    return i == text.Length - 1 ? key.ToString() : null;
                case '\\' when i + 1 < text.Length && text[i + 1] is '"' or '\\':
                    key.Append(text[++i]);
                    break;
                case '\\':
                    return null;
                default:
                    key.Append(text[i]);
                    break;
            }
        }

        return null;
    }
}
