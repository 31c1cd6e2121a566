using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Sync;

/// <summary>StartSync's body: jobs to follow, or connections of which to fetch what Basiq has.</summary>
internal sealed record StartSyncRequest(
    [property: JsonPropertyName("jobIds")] IReadOnlyList<string?>? JobIds,
    [property: JsonPropertyName("connectionIds")] IReadOnlyList<string?>? ConnectionIds = null,
    [property: JsonPropertyName("full")] bool? Full = null)
{
    /// <summary>More than any consent visit gives; a sync's status holds all of its jobs and is small.</summary>
    private const int MostIds = 50;

    /// <summary>Whether it is connections that are asked for.</summary>
    [JsonIgnore]
    public bool IsOfConnections => ConnectionIds is not null;

    /// <summary>The ids, after <see cref="Refuse"/> found nothing wrong with them.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> ValidIds => [.. (ConnectionIds ?? JobIds)!.Select(id => id!)];

    /// <summary>The 400 that names what is wrong; null when all is well.</summary>
    public ProblemResult? Refuse()
    {
        if (JobIds is not null && ConnectionIds is not null)
            return Problem.InvalidInput("connectionIds", "cannot be combined with 'jobIds'.");
        var (name, ids, what) = ConnectionIds is null ? ("jobIds", JobIds, "job") : ("connectionIds", ConnectionIds, "connection");
        if (ids is not { Count: > 0 })
            return Problem.InvalidInput(name, $"must contain at least one {what} id.");
        if (ids.Count > MostIds)
            return Problem.InvalidInput(name, string.Create(CultureInfo.InvariantCulture, $"must contain at most {MostIds} {what} ids."));

        var errors = new FieldErrors();
        for (var i = 0; i < ids.Count; i++)
        {
            if (!RouteId.IsValid(ids[i]))
            {
                errors.Add(
                    string.Create(CultureInfo.InvariantCulture, $"{name}[{i}]"),
                    "must have 1 to 64 characters: letters, digits, '_' and '-'.");
            }
        }

        return errors.Count > 0 ? Problem.InvalidInput(errors) : null;
    }

    /// <summary>The same for requests that ask for the same.</summary>
    public byte[] Meaning(string userId)
    {
        var syncId = IsOfConnections ? SyncId.ForConnections(userId, ValidIds) : SyncId.For(userId, ValidIds);
        return Encoding.ASCII.GetBytes(Full is true ? $"{syncId} full" : syncId);
    }
}
