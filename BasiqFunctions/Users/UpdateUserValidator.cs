using BasiqFunctions.Basiq;
using FluentValidation;

namespace BasiqFunctions.Users;

/// <summary>What UpdateUser takes.</summary>
internal sealed class UpdateUserValidator : AbstractValidator<UserDetails>
{
    public UpdateUserValidator() => Include(new PersonValidator());
}
