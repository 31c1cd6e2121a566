using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Connections;

/// <summary>What RefreshConnections is asked for.</summary>
/// <param name="ConnectionId">The connection; all of the user's when null.</param>
internal sealed record RefreshRequest(string? ConnectionId)
{
    /// <summary>Takes the fields of a request, not validated.</summary>
    public static RefreshRequest From(RequestFields fields) => new(fields.Text("connectionId"));
}

/// <summary>What RefreshConnections takes.</summary>
internal sealed class RefreshRequestValidator : AbstractValidator<RefreshRequest>
{
    public RefreshRequestValidator() =>
        RuleFor(refresh => refresh.ConnectionId).Must(id => id is null || RouteId.IsValid(id))
            .WithMessage("must have 1 to 64 characters: letters, digits, '_' and '-'.");
}
