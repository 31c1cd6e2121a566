using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Webhooks;

/// <summary>
/// What comes with a webhook to prove that it is Basiq's: the three headers of <see cref="StandardWebhooks"/>.
/// </summary>
internal sealed record WebhookSignature(string Id, string Timestamp, DateTimeOffset SentAt, IReadOnlyList<string> Signatures)
{
    /// <summary>How far a message's time may be from ours, either way.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    private const int MaxIdLength = 256;
    private const int MaxSignatures = 20;
    private const int MaxSignaturesLength = 4096;

    /// <summary>Reads the headers; null when one is missing, comes twice or is not of its form.</summary>
    public static WebhookSignature? Read(IHeaderDictionary headers) =>
        headers[StandardWebhooks.IdHeader] is [{ Length: > 0 and <= MaxIdLength } id] && id.All(c => c is > ' ' and <= '~')
        && headers[StandardWebhooks.TimestampHeader] is [{ Length: > 0 and <= 12 } timestamp] && timestamp.All(char.IsAsciiDigit)
        && headers[StandardWebhooks.SignatureHeader] is [{ Length: > 0 and <= MaxSignaturesLength } signatures]
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
        var matches = false;
        foreach (var key in keys)
        {
            var expected = Encoding.ASCII.GetBytes(StandardWebhooks.Sign(Id, Timestamp, body, key));
            foreach (var signature in Signatures)
                matches |= CryptographicOperations.FixedTimeEquals(expected, Encoding.UTF8.GetBytes(signature));
        }

        return matches;
    }
}
