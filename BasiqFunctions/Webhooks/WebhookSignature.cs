using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Webhooks;

/// <summary>
/// What comes with a webhook to prove that it is Basiq's: the three headers of the Standard Webhooks scheme. Signed is
/// <c>{id}.{timestamp}.{body}</c>, byte for byte, with HMAC-SHA256.
/// </summary>
internal sealed record WebhookSignature(string Id, string Timestamp, DateTimeOffset SentAt, IReadOnlyList<string> Signatures)
{
    /// <summary>How far a message's time may be from ours, either way.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    private const string Version = "v1,";
    private const int MaxIdLength = 256;
    private const int MaxSignatures = 20;
    private const int MaxSignaturesLength = 4096;

    /// <summary>Reads the headers; null when one is missing, comes twice or is not of its form.</summary>
    public static WebhookSignature? Read(IHeaderDictionary headers) =>
        headers["webhook-id"] is [{ Length: > 0 and <= MaxIdLength } id] && id.All(c => c is > ' ' and <= '~')
        && headers["webhook-timestamp"] is [{ Length: > 0 and <= 12 } timestamp] && timestamp.All(char.IsAsciiDigit)
        && headers["webhook-signature"] is [{ Length: > 0 and <= MaxSignaturesLength } signatures]
        && long.Parse(timestamp, CultureInfo.InvariantCulture) is <= 253_402_300_799 and var seconds
            ? new WebhookSignature(
                id,
                timestamp,
                DateTimeOffset.FromUnixTimeSeconds(seconds),
                [.. signatures.Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(MaxSignatures)])
            : null;

    /// <summary>Whether it was sent a short time ago, or is about to be by a clock that is ahead of ours.</summary>
    public bool IsCurrent(DateTimeOffset now) => (now - SentAt).Duration() <= Tolerance;

    /// <summary>
    /// Whether one of the signatures is of one of the keys. Texts are compared, in constant time, and not what they decode to: two
    /// texts may decode to the same bytes, and only one of them is the signature.
    /// </summary>
    public bool IsOf(ReadOnlySpan<byte> body, IReadOnlyList<byte[]> keys)
    {
        var prefix = Encoding.ASCII.GetBytes($"{Id}.{Timestamp}.");
        var matches = false;
        foreach (var key in keys)
        {
            using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
            hash.AppendData(prefix);
            hash.AppendData(body);
            var expected = Encoding.ASCII.GetBytes(Version + Convert.ToBase64String(hash.GetHashAndReset()));
            foreach (var signature in Signatures)
                matches |= CryptographicOperations.FixedTimeEquals(expected, Encoding.UTF8.GetBytes(signature));
        }

        return matches;
    }

    /// <summary>
    /// The key that a secret stands for: base64 after <c>whsec_</c>, in either alphabet and with or without padding, as Basiq's guide
    /// and the Standard Webhooks libraries read it; null when it is not of that form.
    /// </summary>
    public static byte[]? KeyOf(string secret)
    {
        const string Prefix = "whsec_";
        var text = secret.Trim();
        text = (text.StartsWith(Prefix, StringComparison.Ordinal) ? text[Prefix.Length..] : text).TrimEnd('=').Replace('-', '+').Replace('_', '/');
        var key = new byte[text.Length];
        return Convert.TryFromBase64String(text + (text.Length % 4) switch { 2 => "==", 3 => "=", _ => "" }, key, out var length) && length > 0
            ? key[..length]
            : null;
    }
}
