using System.Globalization;
using BasiqFunctions.Data;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Sync;

/// <summary>Stops the app at start, naming the setting that is wrong.</summary>
/// <remarks>Written out: rules that are compiled from expressions, for one use each, are a tenth of the time that a start takes.</remarks>
internal sealed class SyncOptionsValidator(IOptions<SnapshotOptions> snapshots) : IValidateOptions<SyncOptions>
{
    public ValidateOptionsResult Validate(string? name, SyncOptions options)
    {
        List<string> failures = [];
        Positive(nameof(options.FirstPollDelay), options.FirstPollDelay);
        Positive(nameof(options.PollDelayWithNews), options.PollDelayWithNews);
        Positive(nameof(options.JobTimeout), options.JobTimeout);
        Positive(nameof(options.RetryDelay), options.RetryDelay);
        Positive(nameof(options.GatherNewsFor), options.GatherNewsFor);
        Require(options.GatherNewsFor <= TimeSpan.FromHours(1), nameof(options.GatherNewsFor), "at most 1 hour");
        Require(options.Overlap >= TimeSpan.Zero && options.Overlap <= TimeSpan.FromDays(366), nameof(options.Overlap), "from 0 to 366 days");
        Require(options.FullEvery >= TimeSpan.Zero && options.FullEvery <= TimeSpan.FromDays(366), nameof(options.FullEvery), "from 0 to 366 days");
        Between(nameof(options.PollDelayGrowth), options.PollDelayGrowth, 1, 10);
        Between(nameof(options.MaxParallelAccounts), options.MaxParallelAccounts, 1, 64);
        Between(nameof(options.PagesPerActivity), options.PagesPerActivity, 1, 1_000);
        Between(nameof(options.PageSize), options.PageSize, 1, 500);
        Between(nameof(options.MaxAttempts), options.MaxAttempts, 1, 100);
        Require(options.JobTimeout <= TimeSpan.FromDays(1), nameof(options.JobTimeout), "at most 1 day");
        Require(options.MaxPollDelay >= options.FirstPollDelay, nameof(options.MaxPollDelay), "at least Sync:FirstPollDelay");
        Require(options.MaxRetryDelay >= options.RetryDelay, nameof(options.MaxRetryDelay), "at least Sync:RetryDelay");
        Require(options.MaxTokenDelay >= options.RetryDelay, nameof(options.MaxTokenDelay), "at least Sync:RetryDelay");
        Require(options.MaxTokenDelay <= TimeSpan.FromDays(1), nameof(options.MaxTokenDelay), "at most 1 day");
        Require(
            options.TokenPatience >= TimeSpan.Zero && options.TokenPatience < LeftoverGrace(),
            nameof(options.TokenPatience),
            "shorter than Snapshots:LeftoverGrace, after which what a sync has fetched counts as abandoned");
        Require(
            options.KeepFinishedFor >= TimeSpan.FromHours(1) && options.KeepFinishedFor <= TimeSpan.FromDays(3_650),
            nameof(options.KeepFinishedFor),
            "between 1 hour and 3,650 days");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        TimeSpan LeftoverGrace()
        {
            try
            {
                return snapshots.Value.LeftoverGrace;
            }
            catch (OptionsValidationException)
            {
                // The start is stopped by these settings' own validator, which says what is wrong with them.
                return TimeSpan.MaxValue;
            }
        }

        void Positive(string setting, TimeSpan value) => Require(value > TimeSpan.Zero, setting, "longer than zero");

        void Between(string setting, double value, double least, double most) => Require(
            value >= least && value <= most, setting, string.Create(CultureInfo.InvariantCulture, $"between {least} and {most}"));

        void Require(bool holds, string setting, string rule)
        {
            if (!holds)
                failures.Add($"{SyncOptions.Section}:{setting} must be {rule}.");
        }
    }
}
