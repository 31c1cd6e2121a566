using System.Text.Json;
using System.Text.RegularExpressions;
using BasiqFunctions.Sandbox;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>What no log may hold, in any test: the secrets that the app keeps, the API key, addresses and numbers of people.</summary>
internal static partial class Confidential
{
    public static void AssertNoneIn(string text, TemporaryDirectory state)
    {
        foreach (var secret in SecretsIn(state).Append(SandboxOptions.DefaultApiKey))
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        Assert.DoesNotMatch(Personal(), text);
    }

    /// <summary>The values in the local vault: server tokens and the key of the consent state.</summary>
    public static IEnumerable<string> SecretsIn(TemporaryDirectory state)
    {
        var vault = Path.Combine(state.Path, "keyvault.json");
        if (!File.Exists(vault))
            return [];
        return [.. JsonElement.Parse(File.ReadAllBytes(vault)).GetProperty("secrets").EnumerateObject()
            .SelectMany(secret => secret.Value.EnumerateArray())
            .Select(version => version.GetProperty("value").GetString()!)];
    }

    /// <summary>
    /// An e-mail address, an Australian mobile number, or an access token's header. Longer numbers and hexadecimal ids may hold the
    /// digits of a mobile number by chance.
    /// </summary>
    [GeneratedRegex(@"[\w.+-]+@[\w-]+\.[\w.]+|(?<![\da-f])\+?614\d{8}(?![\da-f])|access_token|Bearer [\w-]{8,}")]
    private static partial Regex Personal();
}
