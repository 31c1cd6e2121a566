using FluentValidation;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Http;

/// <summary>Stops the app at start, naming the setting that is wrong.</summary>
internal sealed class HttpOptionsValidator : AbstractValidator<HttpOptions>, IValidateOptions<HttpOptions>
{
    public HttpOptionsValidator()
    {
        RuleFor(o => o.BodyTimeout).InclusiveBetween(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(3));
        RuleFor(o => o.Deadline).GreaterThanOrEqualTo(o => o.BodyTimeout).LessThanOrEqualTo(TimeSpan.FromMinutes(10));
    }

    public ValidateOptionsResult Validate(string? name, HttpOptions options)
    {
        var result = Validate(options);
        return result.IsValid
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(result.Errors.Select(e => $"{HttpOptions.Section}:{e.PropertyName}: {e.ErrorMessage}"));
    }
}
