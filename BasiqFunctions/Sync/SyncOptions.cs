using System.ComponentModel.DataAnnotations;
using BasiqFunctions.Data;
using BasiqFunctions.Platform;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Sync;

/// <summary>How syncs poll, fetch and give up. Section <c>Sync</c>.</summary>
public sealed class SyncOptions : IValidatableObject
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Sync";

    /// <summary>The wait between the first poll of a job and the second.</summary>
    [Duration("1ms")]
    public TimeSpan FirstPollDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How the wait grows from one poll to the next.</summary>
    [Number(1, 10)]
    public double PollDelayGrowth { get; set; } = 1.5;

    /// <summary>The longest wait between two polls.</summary>
    public TimeSpan MaxPollDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The wait between two polls while webhooks tell of what changes: they may get lost, so there are polls all the same.</summary>
    [Duration("1ms")]
    public TimeSpan PollDelayWithNews { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a job may take before the sync goes on without it.</summary>
    [Duration("1ms", "1d")]
    public TimeSpan JobTimeout { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How many accounts of one sync are fetched at once.</summary>
    [Number(1, 64)]
    public int MaxParallelAccounts { get; set; } = 8;

    /// <summary>How many pages of transactions one activity fetches: what a crash can cost at most.</summary>
    [Number(1, 1_000)]
    public int PagesPerActivity { get; set; } = 20;

    /// <summary>Transactions in a page, 1 to 500.</summary>
    [Number(1, 500)]
    public int PageSize { get; set; } = 500;

    /// <summary>How far before the newest known day what is posted is fetched again: banks post late, and change what they posted.</summary>
    [Duration("0s", "366d")]
    public TimeSpan Overlap { get; set; } = TimeSpan.FromDays(14);

    /// <summary>How old the last fetch of an account's whole history may be before it is fetched whole again.</summary>
    [Duration("0s", "366d")]
    public TimeSpan FullEvery { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How long after the first news of a connection more of them are taken for the same: they are fetched after it.</summary>
    [Duration("1ms", "1h")]
    public TimeSpan GatherNewsFor { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a fetch that failed for the moment is tried before the sync goes on without it.</summary>
    [Number(1, 100)]
    public int MaxAttempts { get; set; } = 8;

    /// <summary>The wait before the second attempt; it doubles from one to the next.</summary>
    [Duration("1ms")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest wait between two attempts, unless Basiq asks for a longer one.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How long a sync waits in a row while no token can be had, as Basiq refuses the API key: a key is replaced by people.</summary>
    public TimeSpan TokenPatience { get; set; } = TimeSpan.FromDays(7);

    /// <summary>The longest wait between two attempts meanwhile: it keeps the history of a week small.</summary>
    [Duration("1ms", "1d")]
    public TimeSpan MaxTokenDelay { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>How long what is known of a sync is kept after it ended. GetSync answers 404 then; its snapshot stays.</summary>
    [Duration("1h", "3650d")]
    public TimeSpan KeepFinishedFor { get; set; } = TimeSpan.FromDays(30);

    /// <summary>The same for a sync that nobody would start again: it outlasts a day without Basiq.</summary>
    internal SyncOptions WithPatience()
    {
        var settings = (SyncOptions)MemberwiseClone();
        settings.MaxRetryDelay = TimeSpan.FromMinutes(15);
        settings.MaxAttempts = 100;
        return settings;
    }

    /// <summary>
    /// The same for a sync that is told of what changes: one poll soon, since what was told while it was being started reached nobody, and then few.
    /// </summary>
    internal SyncOptions WithNews()
    {
        var settings = (SyncOptions)MemberwiseClone();
        settings.FirstPollDelay = Min(FirstPollDelay, PollDelayWithNews);
        settings.MaxPollDelay = PollDelayWithNews;
        settings.PollDelayGrowth = PollDelayWithNews / settings.FirstPollDelay;
        return settings;
    }

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxPollDelay < FirstPollDelay)
            yield return new("Sync:MaxPollDelay must be at least Sync:FirstPollDelay.");
        if (MaxRetryDelay < RetryDelay)
            yield return new("Sync:MaxRetryDelay must be at least Sync:RetryDelay.");
        if (MaxTokenDelay < RetryDelay)
            yield return new("Sync:MaxTokenDelay must be at least Sync:RetryDelay.");
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}

/// <summary>Refuses settings that cannot work, by name.</summary>
[OptionsValidator]
internal sealed partial class SyncOptionsValidator : IValidateOptions<SyncOptions>;

/// <summary>Keeps a sync from waiting for a token until what it has fetched counts as abandoned.</summary>
internal sealed class TokenPatienceValidator(IOptions<SnapshotOptions> snapshots) : IValidateOptions<SyncOptions>
{
    public ValidateOptionsResult Validate(string? name, SyncOptions options) =>
        options.TokenPatience >= TimeSpan.Zero && options.TokenPatience < LeftoverGrace()
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail(
                "Sync:TokenPatience must be shorter than Snapshots:LeftoverGrace, after which what a sync has fetched counts as abandoned.");

    private TimeSpan LeftoverGrace()
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
}
