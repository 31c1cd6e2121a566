using System.Security.Cryptography;
using System.Text;

namespace BasiqFunctions.Platform.Http;

/// <summary>
/// The scheme of standardwebhooks.com, by which Basiq signs what it sends us and we sign what we send the team. Signed is
/// <c>{id}.{timestamp}.{body}</c>, byte for byte, with HMAC-SHA256.
/// </summary>
internal static class StandardWebhooks
{
    /// <summary>What the text of a secret begins with.</summary>
    public const string SecretPrefix = "whsec_";

    /// <summary>The header that names the message.</summary>
    public const string IdHeader = "webhook-id";

    /// <summary>The header that says when it was sent, in Unix seconds.</summary>
    public const string TimestampHeader = "webhook-timestamp";

    /// <summary>The header of the signatures, with spaces between them.</summary>
    public const string SignatureHeader = "webhook-signature";

    /// <summary>A signature, as its header has it.</summary>
    public static string Sign(string id, string timestamp, ReadOnlySpan<byte> body, byte[] key)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hash.AppendData(Encoding.ASCII.GetBytes($"{id}.{timestamp}."));
        hash.AppendData(body);
        return "v1," + Convert.ToBase64String(hash.GetHashAndReset());
    }

    /// <summary>
    /// The key that a secret stands for: base64 after <c>whsec_</c>, in either alphabet and with or without padding, as Basiq's guide
    /// and the Standard Webhooks libraries read it; null when it is not of that form.
    /// </summary>
    public static byte[]? KeyOf(string secret)
    {
        var text = secret.Trim();
        text = (text.StartsWith(SecretPrefix, StringComparison.Ordinal) ? text[SecretPrefix.Length..] : text).TrimEnd('=').Replace('-', '+').Replace('_', '/');
        var key = new byte[text.Length];
        return Convert.TryFromBase64String(text + (text.Length % 4) switch { 2 => "==", 3 => "=", _ => "" }, key, out var length) && length > 0
            ? key[..length]
            : null;
    }
}
