namespace BasiqFunctions.Notifications;

/// <summary>The ways by which notifications leave.</summary>
public sealed class Senders
{
    private readonly IEnumerable<INotificationSender> _senders;
    private readonly ReceiverGates _gates;

    internal Senders(IEnumerable<INotificationSender> senders, ReceiverGates gates) => (_senders, _gates) = (senders, gates);

    /// <summary>Sends a message once, unless so many wait already for a receiver that does not answer that another would only wait with them.</summary>
    public async Task<SendResult> SendAsync(string receiver, NotificationMessage message, CancellationToken cancellation)
    {
        var (pass, isSlow) = await _gates.EnterAsync(receiver, cancellation);
        if (pass is null)
            return new SendResult("receiver-busy", IsDelivered: false) { IsUntried = !isSlow };
        using var entered = pass;
        var result = await _senders.First(sender => sender.Serves(receiver)).SendAsync(receiver, message, cancellation);
        pass.Answered(inTime: result.Code is not SendResult.Timeout);
        return result;
    }
}
