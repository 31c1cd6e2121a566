using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Azure;
using Azure.Identity;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Platform.Vault;

/// <summary>Names a Key Vault failure by a code alone: messages of the SDK quote answers.</summary>
internal static class KeyVaultErrors
{
    /// <summary>The built-in role that lets the app read, store, update and recover a secret.</summary>
    internal const string Officer = "Key Vault Secrets Officer";

    /// <summary>The built-in role that lets it read one, which is enough for the API key.</summary>
    internal const string User = "Key Vault Secrets User";

    /// <summary>Inner code of a secret that is there and switched off.</summary>
    internal const string Disabled = "SecretDisabled";

    private const int LongestCode = 64;

    /// <summary>Every request may meet the same failure. What each logger has told is held for as long as the logger.</summary>
    private static readonly ConditionalWeakTable<ILogger, ConcurrentDictionary<(string Action, string Secret, string Code), LogPace>> Told = [];

    internal static string Code(Exception exception) =>
        exception switch
        {
            RequestFailedException failed when InnerCode(failed) is { } code => code,
            RequestFailedException { ErrorCode: { Length: > 0 } code } => code,
            RequestFailedException { Status: > 0 and var status } => string.Create(CultureInfo.InvariantCulture, $"http-{status}"),
            RequestFailedException or AggregateException => "unreachable",
            OperationCanceledException => "timeout",
            StoreUnavailableException store => store.Code,
            _ => exception.GetType().Name,
        };

    /// <summary>
    /// Whether Key Vault cannot be reached, does not answer in time, refuses for the moment or gives this app no access. Not for a
    /// cancellation that the caller asked for.
    /// </summary>
    internal static bool IsAway(Exception exception) =>
        exception is RequestFailedException { Status: 0 or 401 or 403 or 408 or 429 or >= 500 }
            or AuthenticationFailedException
            or OperationCanceledException
        || (exception is AggregateException several && several.InnerExceptions.All(IsAway));

    /// <summary>What is wrong with the file that stands in for a vault; null where it is not that.</summary>
    internal static StoreUnavailableException? FileTrouble(Exception exception) =>
        exception is RequestFailedException { Status: 503, ErrorCode: { } code } && StoreUnavailableException.IsCode(code)
            ? new StoreUnavailableException("key-vault", code, exception)
            : null;

    /// <summary>Logs a failure, once a minute, and returns its code; where a role is missing, the line says which.</summary>
    internal static string Report(ILogger logger, TimeProvider clock, string action, string secret, Exception exception)
    {
        var code = Code(exception);
        var pace = Told.GetOrCreateValue(logger).GetOrAdd((action, secret, code), static (_, clock) => new LogPace(clock), clock);
        if (!pace.IsDue(out var times))
            return code;
        if (exception is RequestFailedException { Status: 403 } && code is not (Disabled or "ForbiddenByFirewall" or "ForbiddenByConnection"))
            Log.KeyVaultRoleMissing(logger, action, secret, code, secret is SecretNames.ApiKey ? User : Officer, times);
        else
            Log.KeyVaultFailed(logger, action, secret, code, times);
        return code;
    }

    /// <summary>The innermost code: <c>Forbidden</c> alone leaves open by what (Microsoft Learn, "Azure Key Vault REST API error codes").</summary>
    private static string? InnerCode(RequestFailedException exception)
    {
        try
        {
            if (exception.GetRawResponse() is not { ContentStream.CanSeek: true } response)
                return null;
            using var body = JsonDocument.Parse(response.Content);
            var error = body.RootElement.GetProperty("error"u8);
            string? code = null;
            while (error.ValueKind is JsonValueKind.Object && error.TryGetProperty("innererror"u8, out error))
                code = error.ValueKind is JsonValueKind.Object && error.TryGetProperty("code"u8, out var inner) ? inner.GetString() : code;
            return code is { Length: > 0 and <= LongestCode } && code.All(char.IsAsciiLetterOrDigit) ? code : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            // Something in between answered, not Key Vault: the status says enough.
            return null;
        }
    }
}
