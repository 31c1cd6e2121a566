using System.Text.Json;
using System.Text.Json.Serialization;
using BasiqFunctions.Platform;

namespace BasiqFunctions.Sync;

/// <summary>How far a sync has come: the orchestration's custom status, and the heart of GetSync's answer.</summary>
public sealed record SyncProgress(
    [property: JsonPropertyName("status")] SyncState Status,
    [property: JsonPropertyName("jobs")] IReadOnlyList<SyncedJob> Jobs,
    [property: JsonPropertyName("accounts")] AccountProgress Accounts,
    [property: JsonPropertyName("transactions")] long Transactions,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("error")] SyncError? Error = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("transactionsSkipped")] long? TransactionsSkipped = null)
{
    /// <summary>When it ended; its orchestration goes on for a moment and tells the team's backend.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull), JsonPropertyName("endedAt")]
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>
    /// The most that a custom status may hold, in characters: Durable Functions allows 16 KiB of UTF-16
    /// (Microsoft Learn, "Custom orchestration status in Durable Functions").
    /// </summary>
    public const int MostCharacters = 8 * 1024;

    /// <summary>
    /// The same progress, small enough for a custom status: when the jobs are many, first the explanations go, then the steps
    /// that say nothing, then all steps and the connections.
    /// </summary>
    public SyncProgress ToFit()
    {
        ReadOnlySpan<Func<SyncedJob, SyncedJob>> measures =
        [
            job => job,
            job => job with { Steps = [.. job.Steps.Select(s => s with { Detail = null })] },
            job => job with { Steps = [.. job.Steps.Where(s => s.Code is not null).Select(s => s with { Detail = null })] },
            job => job with { Steps = [] },
            job => job with { Steps = [], ConnectionId = null },
        ];
        var progress = this;
        foreach (var measure in measures)
        {
            progress = this with { Jobs = [.. Jobs.Select(measure)] };
            if (JsonSerializer.Serialize(progress, AppJson.Of<SyncProgress>()).Length <= MostCharacters)
                break;
        }

        return progress;
    }
}
