using BasiqFunctions.Consents;
using FluentValidation;

namespace BasiqFunctions.Webhooks;

/// <summary>What SetWebhookSubscription is asked for.</summary>
/// <param name="Url">The public address of ReceiveWebhook.</param>
internal sealed record SubscriptionRequest(string? Url);

/// <summary>What SetWebhookSubscription takes.</summary>
internal sealed class SubscriptionRequestValidator : AbstractValidator<SubscriptionRequest>
{
    public SubscriptionRequestValidator() =>
        RuleFor(request => request.Url).Must(url => ReturnUrls.Parse(url) is not null)
            .WithMessage("must be an absolute https URL without credentials or fragment (http is allowed on loopback).");
}
