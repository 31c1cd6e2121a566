using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Connections;

/// <summary>What RefreshConnections is asked for.</summary>
/// <param name="ConnectionId">The connection; all of the user's when null.</param>
internal sealed record RefreshRequest(string? ConnectionId);

/// <summary>What RefreshConnections takes.</summary>
internal sealed class RefreshRequestValidator : AbstractValidator<RefreshRequest>
{
    public RefreshRequestValidator() =>
        RuleFor(refresh => refresh.ConnectionId).IsId();
}
