using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using BasiqFunctions.Platform.Records;

namespace BasiqFunctions.Platform.Vault.LocalVault;

/// <summary>
/// The form of the vault's file: the secrets, by name, and their checksum, so that a damaged secret is never taken for another one.
/// A file from before there was one is the secrets alone; the next change gives it one.
/// </summary>
internal static class VaultFile
{
    private const string Checksum = "sha256";
    private const string Secrets = "secrets";

    /// <summary>Writes them.</summary>
    public static byte[] Write(Dictionary<string, List<SecretVersion>> secrets)
    {
        var content = JsonSerializer.SerializeToUtf8Bytes(secrets, AppJson.Of<Dictionary<string, List<SecretVersion>>>());
        using var file = new MemoryStream();
        using (var writer = new Utf8JsonWriter(file))
        {
            writer.WriteStartObject();
            writer.WriteString(Checksum, Convert.ToHexStringLower(SHA256.HashData(content)));
            writer.WritePropertyName(Secrets);
            writer.WriteRawValue(content);
            writer.WriteEndObject();
        }

        return file.ToArray();
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="StoreUnavailableException">It is something else.</exception>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever the readers of JSON stumble over, the file is damaged; what they say may quote it.")]
    public static Dictionary<string, List<SecretVersion>> Read(byte[] file)
    {
        try
        {
            using var document = JsonDocument.Parse(file);
            var (root, secrets) = (document.RootElement, document.RootElement);
            if (root.TryGetProperty(Checksum, out var checksum) && checksum.ValueKind is JsonValueKind.String)
            {
                secrets = root.GetProperty(Secrets);
                var content = JsonMarshal.GetRawUtf8Value(secrets);
                if (root.GetPropertyCount() != 2 || checksum.GetString() != Convert.ToHexStringLower(SHA256.HashData(content)))
                    throw Damaged();
            }

            var read = secrets.Deserialize(AppJson.Of<Dictionary<string, List<SecretVersion>>>());
            return read is not null && read.Values.All(versions => versions is { Count: > 0 } && versions.All(IsWhole)) ? read : throw Damaged();
        }
        catch (Exception exception) when (exception is not StoreUnavailableException)
        {
            throw Damaged();
        }
    }

    private static bool IsWhole(SecretVersion? version) => version is { Version.Length: > 0, Value: not null, Attributes: not null };

    private static StoreUnavailableException Damaged() => new("key-vault", StoreUnavailableException.Damaged);
}
