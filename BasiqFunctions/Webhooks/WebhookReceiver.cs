using System.Security.Cryptography;
using System.Text;
using BasiqFunctions.Basiq;
using BasiqFunctions.Storage;
using BasiqFunctions.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Webhooks;

/// <summary>Takes webhooks that are Basiq's, each once, and refuses all others.</summary>
public sealed class WebhookReceiver
{
    private const string Messages = "message";

    private readonly WebhookSecrets _secrets;
    private readonly EventIntake _intake;
    private readonly IRecordTable _table;
    private readonly IBasiqAddress _address;
    private readonly WebhookOptions _options;
    private readonly Instruments _instruments;
    private readonly TimeProvider _clock;
    private readonly ILogger<WebhookReceiver> _logger;

    internal WebhookReceiver(
        WebhookSecrets secrets,
        EventIntake intake,
        IRecordTable table,
        IBasiqAddress address,
        IOptions<WebhookOptions> options,
        Instruments instruments,
        TimeProvider clock,
        ILogger<WebhookReceiver> logger) =>
        (_secrets, _intake, _table, _address, _options, _instruments, _clock, _logger) =
        (secrets, intake, table, address, options.Value, instruments, clock, logger);

    /// <summary>Takes a message.</summary>
    /// <returns>False when it is refused; nothing has been recorded then.</returns>
    public async Task<bool> TakeAsync(
        DurableTaskClient client, IHeaderDictionary headers, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(headers);
        if (WebhookSignature.Read(headers) is not { } signature)
            return Refuse("malformed-headers");
        if (!signature.IsCurrent(_clock.GetUtcNow()))
            return Refuse("stale");
        var keys = await _secrets.GetKeysAsync(null, cancellation);
        if (!signature.IsOf(body.Span, keys))
        {
            // A secret may have been rotated a moment ago, by another instance or by hand.
            keys = await _secrets.GetKeysAsync(keys, cancellation);
            if (keys.Count == 0)
                return Refuse("no-secret");
            if (!signature.IsOf(body.Span, keys))
                return Refuse("wrong-signature");
        }

        // Hashed: Basiq may name a message by whatever it likes.
        var row = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(signature.Id)));
        if (await _table.FindAsync(Messages, row, cancellation) is { } known && known.IsLiveAt(_clock.GetUtcNow()))
        {
            _instruments.WebhookTaken("duplicate");
            return true;
        }

        if (WebhookHint.EventIdOf(body, _address) is not { } eventId)
        {
            // Basiq would send it again and again, and in the end nothing else: the daily look at its events makes up for it.
            _instruments.WebhookTaken("unusable");
            Log.Unusable(_logger);
            return true;
        }

        var isNew = await _intake.TakeAsync(client, eventId, signature.Id, cancellation);
        await _table.PutAsync(new TableRecord(Messages, row, []) { ExpiresAt = _clock.GetUtcNow() + _options.RememberFor }, cancellation);
        _instruments.WebhookTaken(isNew ? "accepted" : "duplicate");
        return true;
    }

    private bool Refuse(string reason)
    {
        _instruments.WebhookRefused(reason);
        Log.Refused(_logger, reason);
        return false;
    }
}
