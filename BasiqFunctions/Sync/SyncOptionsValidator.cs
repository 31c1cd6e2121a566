using FluentValidation;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Sync;

/// <summary>Stops the app at start, naming the setting that is wrong.</summary>
internal sealed class SyncOptionsValidator : AbstractValidator<SyncOptions>, IValidateOptions<SyncOptions>
{
    public SyncOptionsValidator()
    {
        RuleFor(o => o.FirstPollDelay).GreaterThan(TimeSpan.Zero);
        RuleFor(o => o.PollDelayGrowth).InclusiveBetween(1, 10);
        RuleFor(o => o.MaxPollDelay).GreaterThanOrEqualTo(o => o.FirstPollDelay);
        RuleFor(o => o.PollDelayWithNews).GreaterThan(TimeSpan.Zero);
        RuleFor(o => o.JobTimeout).GreaterThan(TimeSpan.Zero).LessThanOrEqualTo(TimeSpan.FromDays(1));
        RuleFor(o => o.MaxParallelAccounts).InclusiveBetween(1, 64);
        RuleFor(o => o.PagesPerActivity).InclusiveBetween(1, 1_000);
        RuleFor(o => o.PageSize).InclusiveBetween(1, 500);
        RuleFor(o => o.MaxAttempts).InclusiveBetween(1, 100);
        RuleFor(o => o.RetryDelay).GreaterThan(TimeSpan.Zero);
        RuleFor(o => o.KeepFinishedFor).InclusiveBetween(TimeSpan.FromHours(1), TimeSpan.FromDays(3650));
        RuleFor(o => o.MaxRetryDelay).GreaterThanOrEqualTo(o => o.RetryDelay);
    }

    public ValidateOptionsResult Validate(string? name, SyncOptions options)
    {
        var result = Validate(options);
        return result.IsValid
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(result.Errors.Select(e => $"{SyncOptions.Section}:{e.PropertyName}: {e.ErrorMessage}"));
    }
}
