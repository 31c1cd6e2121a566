using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Connections;

/// <summary>What RefreshConnections takes.</summary>
internal sealed class RefreshRequestValidator : AbstractValidator<RefreshRequest>
{
    public RefreshRequestValidator() =>
        RuleFor(refresh => refresh.ConnectionId).Must(id => id is null || RouteId.IsValid(id))
            .WithMessage("must have 1 to 64 characters: letters, digits, '_' and '-'.");
}
