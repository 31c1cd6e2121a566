using System.Globalization;
using System.Linq.Expressions;
using System.Text;
using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Sync;

/// <summary>StartSync's body: jobs to follow, or connections of which to fetch what Basiq has.</summary>
internal sealed record StartSyncRequest(
    [property: JsonPropertyName("jobIds")] IReadOnlyList<string?>? JobIds,
    [property: JsonPropertyName("connectionIds")] IReadOnlyList<string?>? ConnectionIds = null,
    [property: JsonPropertyName("full")] bool? Full = null)
{
    /// <summary>Whether it is connections that are asked for.</summary>
    [JsonIgnore]
    public bool IsOfConnections => ConnectionIds is not null;

    /// <summary>The jobs, after <see cref="StartSyncValidator"/> found nothing wrong with them.</summary>
    [JsonIgnore]
    public IReadOnlyList<JobId> ValidJobIds => [.. JobIds!.Select(id => new JobId(id!))];

    /// <summary>The connections, in the same way.</summary>
    [JsonIgnore]
    public IReadOnlyList<ConnectionId> ValidConnectionIds => [.. ConnectionIds!.Select(id => new ConnectionId(id!))];

    /// <summary>The same for requests that ask for the same.</summary>
    public byte[] Meaning(UserId userId)
    {
        var syncId = IsOfConnections ? SyncIds.ForConnections(userId, ValidConnectionIds) : SyncIds.For(userId, ValidJobIds);
        return Encoding.ASCII.GetBytes(Full is true ? $"{syncId} full" : syncId);
    }
}

/// <summary>What StartSync takes.</summary>
internal sealed class StartSyncValidator : AbstractValidator<StartSyncRequest>
{
    /// <summary>More than any consent visit gives; a sync's status holds all of its jobs and is small.</summary>
    private const int MostIds = 50;

    public StartSyncValidator()
    {
        RuleFor(sync => sync.ConnectionIds).Null().When(sync => sync.JobIds is not null)
            .WithMessage("cannot be combined with 'jobIds'.");
        RuleFor(sync => sync.JobIds).NotNull().When(sync => sync.ConnectionIds is null).WithMessage("must contain at least one job id.");
        HasIds(sync => sync.JobIds, "job");
        HasIds(sync => sync.ConnectionIds, "connection");
    }

    private void HasIds(Expression<Func<StartSyncRequest, IReadOnlyList<string?>?>> ids, string what)
    {
        RuleFor(ids).Must(given => given is not { Count: 0 }).WithMessage($"must contain at least one {what} id.");
        RuleFor(ids).Must(given => given is not { Count: > MostIds })
            .WithMessage(string.Create(CultureInfo.InvariantCulture, $"must contain at most {MostIds} {what} ids."));
        RuleFor(ids).ForEach(id => id.Must(RouteId.IsValid).WithMessage(RouteId.Rule)).When(sync => ids.Compile()(sync) is not null);
    }
}
