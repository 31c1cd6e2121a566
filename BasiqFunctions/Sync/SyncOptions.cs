using System.Globalization;
using BasiqFunctions.Data;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Sync;

/// <summary>How syncs poll, fetch and give up. Section <c>Sync</c>.</summary>
public sealed class SyncOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Sync";

    /// <summary>The wait between the first poll of a job and the second.</summary>
    public TimeSpan FirstPollDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How the wait grows from one poll to the next.</summary>
    public double PollDelayGrowth { get; set; } = 1.5;

    /// <summary>The longest wait between two polls.</summary>
    public TimeSpan MaxPollDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The wait between two polls while webhooks tell of what changes: they may get lost, so there are polls all the same.</summary>
    public TimeSpan PollDelayWithNews { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a job may take before the sync goes on without it.</summary>
    public TimeSpan JobTimeout { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How many accounts of one sync are fetched at once.</summary>
    public int MaxParallelAccounts { get; set; } = 8;

    /// <summary>How many pages of transactions one activity fetches: what a crash can cost at most.</summary>
    public int PagesPerActivity { get; set; } = 20;

    /// <summary>Transactions in a page, 1 to 500.</summary>
    public int PageSize { get; set; } = 500;

    /// <summary>How far before the newest known day what is posted is fetched again: banks post late, and change what they posted.</summary>
    public TimeSpan Overlap { get; set; } = TimeSpan.FromDays(14);

    /// <summary>How old the last fetch of an account's whole history may be before it is fetched whole again.</summary>
    public TimeSpan FullEvery { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How long after the first news of a connection more of them are taken for the same: they are fetched after it.</summary>
    public TimeSpan GatherNewsFor { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a fetch that failed for the moment is tried before the sync goes on without it.</summary>
    public int MaxAttempts { get; set; } = 8;

    /// <summary>The wait before the second attempt; it doubles from one to the next.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest wait between two attempts, unless Basiq asks for a longer one.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How long a sync waits in a row while no token can be had, as Basiq refuses the API key: a key is replaced by people.</summary>
    public TimeSpan TokenPatience { get; set; } = TimeSpan.FromDays(7);

    /// <summary>The longest wait between two attempts meanwhile: it keeps the history of a week small.</summary>
    public TimeSpan MaxTokenDelay { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>How long what is known of a sync is kept after it ended. GetSync answers 404 then; its snapshot stays.</summary>
    public TimeSpan KeepFinishedFor { get; set; } = TimeSpan.FromDays(30);

    /// <summary>The same for a sync that nobody would start again: it outlasts a day without Basiq.</summary>
    internal SyncOptions WithPatience()
    {
        var settings = (SyncOptions)MemberwiseClone();
        settings.MaxRetryDelay = TimeSpan.FromMinutes(15);
        settings.MaxAttempts = 100;
        return settings;
    }

    /// <summary>The same for a sync that is told of what changes.</summary>
    internal SyncOptions WithNews()
    {
        var settings = (SyncOptions)MemberwiseClone();
        settings.FirstPollDelay = settings.MaxPollDelay = PollDelayWithNews;
        return settings;
    }
}

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
