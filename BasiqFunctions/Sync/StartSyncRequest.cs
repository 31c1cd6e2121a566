using System.Globalization;
using System.Text.Json.Serialization;
using BasiqFunctions.Http;

namespace BasiqFunctions.Sync;

/// <summary>StartSync's body.</summary>
internal sealed record StartSyncRequest([property: JsonPropertyName("jobIds")] IReadOnlyList<string?>? JobIds)
{
    /// <summary>More than any consent visit gives; a sync's status holds all of its jobs and is small.</summary>
    private const int MostJobs = 50;

    /// <summary>The ids, after <see cref="Refuse"/> found nothing wrong with them.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> ValidIds => [.. JobIds!.Select(id => id!)];

    /// <summary>The 400 that names what is wrong; null when all is well.</summary>
    public ProblemResult? Refuse()
    {
        if (JobIds is not { Count: > 0 })
            return Problem.InvalidInput("jobIds", "must contain at least one job id.");
        if (JobIds.Count > MostJobs)
            return Problem.InvalidInput("jobIds", string.Create(CultureInfo.InvariantCulture, $"must contain at most {MostJobs} job ids."));

        var errors = new FieldErrors();
        for (var i = 0; i < JobIds.Count; i++)
        {
            if (!RouteId.IsValid(JobIds[i]))
            {
                errors.Add(
                    string.Create(CultureInfo.InvariantCulture, $"jobIds[{i}]"),
                    "must have 1 to 64 characters: letters, digits, '_' and '-'.");
            }
        }

        return errors.Count > 0 ? Problem.InvalidInput(errors) : null;
    }
}
