using System.Globalization;
using Azure;

namespace BasiqFunctions.Tokens;

/// <summary>Names a Key Vault failure by a code alone: messages of the SDK quote answers.</summary>
internal static class KeyVaultErrors
{
    internal static string Code(Exception exception) =>
        exception switch
        {
            RequestFailedException { ErrorCode: { Length: > 0 } code } => code,
            RequestFailedException { Status: > 0 and var status } => string.Create(CultureInfo.InvariantCulture, $"http-{status}"),
            RequestFailedException or AggregateException => "unreachable",
            OperationCanceledException => "timeout",
            _ => exception.GetType().Name,
        };
}
