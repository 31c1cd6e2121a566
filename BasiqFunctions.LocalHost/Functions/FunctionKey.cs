using System.Security.Cryptography;
using System.Text;

namespace BasiqFunctions.LocalHost.Functions;

/// <summary>The key that callers bring once <see cref="LocalHostOptions.FunctionKey"/> is set.</summary>
internal static class FunctionKey
{
    /// <summary>Whether a request brings it, as header <c>x-functions-key</c> or as <c>?code=</c>. Compared in constant time.</summary>
    public static bool IsIn(HttpRequest request, string functionKey)
    {
        var given = request.Headers.TryGetValue("x-functions-key", out var header) ? header : request.Query["code"];
        return CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(given.ToString())), SHA256.HashData(Encoding.UTF8.GetBytes(functionKey)));
    }
}
