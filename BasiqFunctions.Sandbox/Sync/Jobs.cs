using System.Text.Json;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Data;
using BasiqFunctions.Sandbox.Platform;
using BasiqFunctions.Sandbox.Users;

namespace BasiqFunctions.Sandbox.Sync;

internal enum StepStatus
{
    Pending,
    InProgress,
    Success,
    Failed,
}

/// <summary>
/// Where a job stands at an instant. Each of its three steps takes a third of its duration, and the challenge of a bank that
/// has one, after the first, as long as its answer does; nothing ticks, so a restart in the middle changes nothing.
/// </summary>
internal readonly struct JobProgress(JobRecord job, DateTimeOffset now)
{
    public const int Steps = 3;
    private const int StepThatNeverEnds = 1;

    private static readonly TimeSpan Never = TimeSpan.MaxValue;
    private static readonly JobFailure NoConsent = new(0, "authorization-failed", "Authorization failed", "access_denied");

    private static readonly JobFailure NoReport = new(2, "internal-server-error", "Internal Server error", "The report could not be made.");

    private static readonly JobFailure NotReadable = new(
        0,
        "bank-statement-not-supported",
        "Statement not supported.",
        "Statement is not currently supported for this institution - check statement uploaded against correct bank.");

    private static readonly JobFailure Outage = new(0, "service-unavailable", "Service unavailable", "The bank's service is not available at the moment.");

    private readonly DateTimeOffset _began = job.Created + job.Pause;
    private readonly TimeSpan _elapsed = now - (job.Created + job.Pause);

    public JobFailure? Failure { get; } = (job, Persona.Find(job.LoginId)?.Failure) switch
    {
        ({ Fails: true }, _) => NoReport,
        ({ BankIsOut: true }, _) => Outage,
        ({ BackgroundFailure: { } code }, _) => new JobFailure(1, code, "Failed in the background", "The bank asks the user for something."),
        ({ ConsentRevoked: true }, _) => NoConsent,
        ({ IsStatement: true }, not null) => NotReadable,
        (_, var failure) => failure,
    };

    /// <summary>A step that every job has; the challenge is not among them.</summary>
    public StepStatus this[int step]
    {
        get
        {
            if (Failure is { } failure && step >= failure.Step)
            {
                if (step > failure.Step)
                    return StepStatus.Pending;
                if (_elapsed >= End(step))
                    return StepStatus.Failed;
            }

            if (job.NeverEnds && step >= StepThatNeverEnds)
                return step == StepThatNeverEnds && _elapsed >= Start(step) ? StepStatus.InProgress : StepStatus.Pending;
            if (_elapsed >= End(step))
                return StepStatus.Success;
            return _elapsed >= Start(step) ? StepStatus.InProgress : StepStatus.Pending;
        }
    }

    /// <summary>The job's own: failed when any step has, successful when all have.</summary>
    public StepStatus Whole => HasFailed
        ? StepStatus.Failed
        : !IsRunning ? StepStatus.Success : _elapsed < TimeSpan.Zero ? StepStatus.Pending : StepStatus.InProgress;

    /// <summary>The challenge's; null where the bank has none.</summary>
    public StepStatus? Challenge
    {
        get
        {
            if (job.Challenge is not { } challenge)
                return null;
            if (this[0] != StepStatus.Success)
                return StepStatus.Pending;
            if (_elapsed < ChallengeEnd)
                return StepStatus.InProgress;
            return challenge is { Answered: not null, Refused: false } ? StepStatus.Success : StepStatus.Failed;
        }
    }

    /// <summary>When a challenge that is over ended.</summary>
    public DateTimeOffset ChallengeEnded => _began + ChallengeEnd;

    public bool IsRunning => this[Steps - 1] != StepStatus.Success && !HasFailed;

    public bool HasFailed => Challenge == StepStatus.Failed || (Failure is { } failure && this[failure.Step] == StepStatus.Failed);

    /// <summary>The credentials were accepted or refused: the connection is known from here on.</summary>
    public bool IsVerified => this[0] is StepStatus.Success or StepStatus.Failed;

    /// <summary>Whether the bank lets the person in, challenge included; null while that is open.</summary>
    public bool? IsLetIn => job.BankIsOut ? null : (this[0], Challenge) switch
    {
        (StepStatus.Failed, _) or (_, StepStatus.Failed) => false,
        (StepStatus.Success, null or StepStatus.Success) => true,
        _ => null,
    };

    /// <summary>When the last change that has happened did.</summary>
    public DateTimeOffset Updated
    {
        get
        {
            for (var step = Steps - 1; step >= 0; step--)
            {
                if (step == 0 && Challenge is StepStatus.Success or StepStatus.Failed)
                    return ChallengeEnded;
                if (this[step] is StepStatus.Success or StepStatus.Failed)
                    return EndOf(step);
            }

            return job.Created;
        }
    }

    /// <summary>When a step that is over ended.</summary>
    public DateTimeOffset EndOf(int step) => _began + End(step);

    /// <summary>The moments at which something of the job changes or may have changed, as far as they are certain by now.</summary>
    public IEnumerable<DateTimeOffset> Changes()
    {
        yield return EndOf(0);
        if (job.Challenge is not null)
            yield return ChallengeEnded;
        for (var step = 1; step < Steps && End(step) != Never; step++)
            yield return EndOf(step);
    }

    // An answer ends the challenge, or else its expiry does.
    private TimeSpan ChallengeEnd
    {
        get
        {
            var expires = End(0) + job.Challenge!.Expiry;
            return job.Challenge.Answered is { } answered && answered - _began < expires ? answered - _began : expires;
        }
    }

    private TimeSpan Start(int step) => step == 0 ? TimeSpan.Zero : step == 1 ? AfterChallenge : End(step - 1);

    private TimeSpan End(int step)
    {
        if (step == 0)
            return job.Duration / Steps;
        return AfterChallenge == Never ? Never : AfterChallenge + (job.Duration * (step + 1) / Steps) - (job.Duration / Steps);
    }

    private TimeSpan AfterChallenge
    {
        get
        {
            if (job.Challenge is not { } challenge)
                return End(0);
            return challenge is { Answered: not null, Refused: false } ? ChallengeEnd : Never;
        }
    }
}

/// <summary>Starts jobs, and answers <c>/jobs/{jobId}</c> and <c>/users/{userId}/jobs</c>.</summary>
internal sealed class Jobs(SandboxState state, Milestones milestones, DataViews data, LiveOptions options, Stats stats, TimeProvider clock)
{
    // "This endpoint only returns jobs that are less than 7 days old": Basiq's OpenAPI, GET /users/{userId}/jobs.
    private static readonly TimeSpan Listed = TimeSpan.FromDays(7);

    private static readonly FilterFields Filters = new([("connection.id", FilterOps.Eq)]);

    private static readonly string[] Titles = ["verify-credentials", "retrieve-accounts", "retrieve-transactions"];

    private static readonly JobFailure NotAnswered =
        new(0, "invalid-credentials", "MFA challenge not passed", "The code was not given in time, or was wrong too often.");

    public void Map(ApiRoutes routes)
    {
        routes.OfJob("GET", "/jobs/{jobId}", Get);
        routes.OfUser("GET", "/users/{userId}/jobs", List);
    }

    /// <summary>The connection's job that is still running, or a new one. The caller holds the user's gate.</summary>
    /// <param name="connection">Whose job.</param>
    /// <param name="authorises">The person is there: logs in, and can be asked for a code.</param>
    /// <param name="isBackground">Nobody asked for it.</param>
    public (JobRecord Job, bool IsNew) Start(ConnectionState connection, bool authorises = false, bool isBackground = false)
    {
        var now = clock.GetUtcNow();
        if (connection.Jobs is [.., var last] && new JobProgress(last, now).IsRunning)
            return (last, false);
        var record = connection.Record;
        var user = state.User(record.UserId);
        var job = new JobRecord(
            Guid.NewGuid().ToString(),
            record.UserId,
            record.Id,
            record.InstitutionId,
            record.LoginId,
            now,
            options.Current.JobDuration,
            options.Current.JobsNeverEnd,
            record.ConsentRevoked || (user is not null && connection.ConsentHasEnded(user, now)))
        {
            Authorises = authorises,
            IsBackground = isBackground,
            BackgroundFailure = isBackground ? options.Current.BackgroundFailure : null,
            BankIsOut = !record.IsStatement && options.Current.ConnectorStatuses.GetValueOrDefault(record.InstitutionId) is "major-outage",
            Movement = record.IsStatement || connection.Jobs.Length == 0 ? null : MovementOf(connection),
            IsStatement = record.IsStatement,
            Pause = user is null || connection.Jobs.Length > 0 ? TimeSpan.Zero : PauseOf(user, record, now),
            Challenge = !record.IsStatement && !isBackground && Institution.Find(record.InstitutionId) is { AsksForCode: true }
                ? new ChallengeRecord(Challenges.Code, options.Current.MfaExpiry, 0, null, Refused: false)
                : null,
        };
        state.Record(new StateLine { Job = job });
        milestones.Watch(job);
        if (!job.IsStatement)
            stats.CountVisit(isBackground);
        return (job, true);
    }

    /// <summary>What the knobs say that a refresh finds; null when they say nothing.</summary>
    private Movement? MovementOf(ConnectionState connection)
    {
        var current = options.Current;
        return current is { NewTransactions: 0, BackDatedTransactions: 0, EditedTransactions: 0 }
            ? null
            : new Movement(
                current.NewTransactions,
                current.BackDatedTransactions,
                current.BackDatedDays,
                current.EditedTransactions,
                data.Accounts(connection) is [var first, ..] ? first.Source.Posted : 0);
    }

    /// <summary>A new connection with credentials that let another one of the person in a moment ago is held back.</summary>
    private TimeSpan PauseOf(UserState user, ConnectionRecord record, DateTimeOffset now)
    {
        var current = options.Current;
        if (!current.Strict || record.IsStatement)
            return TimeSpan.Zero;
        var pauses =
            from other in user.Connections
            let it = other.Record
            where it.Id != record.Id && it is { Deleted: false, ConsentRevoked: false, IsStatement: false }
            where it.InstitutionId == record.InstitutionId && it.LoginId == record.LoginId
            from job in other.Jobs.TakeLast(1)
            where new JobProgress(job, now).IsLetIn is not false
            select job.Created + current.SameCredentialsPause - now;
        var pause = pauses.DefaultIfEmpty().Max();
        return pause > TimeSpan.Zero ? pause : TimeSpan.Zero;
    }

    private Task Get(HttpContext context, JobRecord job)
    {
        return Answers.Json(context, 200, (job, clock.GetUtcNow(), context.BaseUrl()), static (writer, x) =>
            Write(writer, x.job, x.Item2, x.Item3, inList: false));
    }

    private Task List(HttpContext context, UserState user)
    {
        if (!Filters.TryParse(context, out var filter, out var refusal))
            return refusal;
        var now = clock.GetUtcNow();
        var jobs = user.Jobs.Where(j => j.ReportId is null && now - j.Created < Listed && filter.Matches("connection.id", j.ConnectionId)).Reverse().ToArray();
        return Answers.Json(context, 200, (user.Id, jobs, now, context.BaseUrl()), static (writer, x) =>
        {
            var (userId, jobs, now, baseUrl) = x;
            writer.WriteStartObject();
            writer.WriteString("type"u8, "list"u8);
            writer.WriteNumber("size"u8, jobs.Length);
            writer.WriteStartArray("data"u8);
            foreach (var job in jobs)
                Write(writer, job, now, baseUrl, inList: true);
            writer.WriteEndArray();
            writer.WriteStartObject("links"u8);
            writer.WriteString("self"u8, $"{baseUrl}/users/{userId}/jobs");
            writer.WriteEndObject();
            writer.WriteEndObject();
        });
    }

    /// <summary>A job as the request that made it is answered.</summary>
    public static void WriteShort(Utf8JsonWriter writer, JobRecord job, string baseUrl)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "job"u8);
        writer.WriteString("id"u8, job.Id);
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, $"{baseUrl}/jobs/{job.Id}");
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>A job that makes a report has one step, which takes all of its time.</summary>
    private static void WriteOfReport(Utf8JsonWriter writer, JobRecord job, JobProgress progress, string baseUrl)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "job"u8);
        writer.WriteString("id"u8, job.Id);
        writer.WriteString("created"u8, Answers.Timestamp(job.Created));
        writer.WriteString("updated"u8, Answers.Timestamp(progress.Updated));
        writer.WriteString("jobType"u8, "report"u8);
        writer.WriteString("status"u8, Name(progress.Whole));
        writer.WriteStartArray("steps"u8);
        writer.WriteStartObject();
        writer.WriteString("title"u8, "create-report"u8);
        writer.WriteString("status"u8, Name(progress.Whole));
        if (progress.Whole is StepStatus.Success)
        {
            writer.WriteStartObject("result"u8);
            writer.WriteString("type"u8, "link"u8);
            writer.WriteString("url"u8, $"/reports/{job.ReportId}");
            writer.WriteEndObject();
        }
        else
        {
            WriteFailure(writer, progress.Whole is StepStatus.Failed ? progress.Failure : null, inList: false);
        }

        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, $"{baseUrl}/jobs/{job.Id}");
        if (progress.Whole is StepStatus.Success)
            writer.WriteString("source"u8, $"{baseUrl}/reports/{job.ReportId}");
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, JobRecord job, DateTimeOffset now, string baseUrl, bool inList)
    {
        var progress = new JobProgress(job, now);
        if (job.ReportId is not null)
        {
            WriteOfReport(writer, job, progress, baseUrl);
            return;
        }

        var self = $"{baseUrl}/jobs/{job.Id}";
        var connection = $"/users/{job.UserId}/connections/{job.ConnectionId}";
        writer.WriteStartObject();
        writer.WriteString("type"u8, "job"u8);
        writer.WriteString("id"u8, job.Id);
        writer.WriteString("created"u8, Answers.Timestamp(job.Created));
        writer.WriteString("updated"u8, Answers.Timestamp(progress.Updated));
        writer.WriteString("jobType"u8, "connection"u8);
        if (!inList)
        {
            writer.WriteString("status"u8, Name(progress.Whole));
        }
        else
        {
            writer.WriteStartObject("institution"u8);
            writer.WriteString("type"u8, "institution"u8);
            writer.WriteString("id"u8, job.InstitutionId);
            writer.WriteStartObject("links"u8);
            writer.WriteString("self"u8, $"{baseUrl}/institutions/{job.InstitutionId}");
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteStartArray("steps"u8);
        for (var step = 0; step < JobProgress.Steps; step++)
        {
            var status = progress[step];
            writer.WriteStartObject();
            writer.WriteString("title"u8, Titles[step]);
            writer.WriteString("status"u8, Name(status));
            if (status == StepStatus.Success)
            {
                writer.WriteStartObject("result"u8);
                writer.WriteString("type"u8, "link"u8);
                writer.WriteString("url"u8, ResultUrl(job, step, connection));
                writer.WriteEndObject();
            }
            else
            {
                WriteFailure(writer, status == StepStatus.Failed ? progress.Failure : null, inList);
            }

            writer.WriteEndObject();
            if (step == 0 && progress.Challenge is { } challenge)
                WriteChallenge(writer, job, challenge, self, inList);
        }

        writer.WriteEndArray();
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, self);

        // "This is only returned for Connection jobs and not for Statement jobs": Basiq's OpenAPI, GET /users/{userId}/jobs.
        if (progress.IsVerified && !job.IsStatement)
            writer.WriteString("source"u8, baseUrl + connection);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteChallenge(Utf8JsonWriter writer, JobRecord job, StepStatus status, string self, bool inList)
    {
        writer.WriteStartObject();
        writer.WriteString("title"u8, "mfa-challenge"u8);
        writer.WriteString("status"u8, Name(status));
        if (status is StepStatus.InProgress or StepStatus.Success)
        {
            writer.WritePropertyName("result"u8);
            Challenges.Write(writer, job, self);
        }
        else
        {
            WriteFailure(writer, status == StepStatus.Failed ? NotAnswered : null, inList);
        }

        writer.WriteEndObject();
    }

    private static void WriteFailure(Utf8JsonWriter writer, JobFailure? failure, bool inList)
    {
        if (failure is null)
        {
            writer.WriteNull("result"u8);
            return;
        }

        writer.WriteStartObject("result"u8);
        writer.WriteString("code"u8, failure.Code);
        writer.WriteString("title"u8, failure.Title);
        writer.WriteString("detail"u8, failure.Detail);
        if (inList)
            writer.WriteString("details"u8, failure.Detail);
        writer.WriteEndObject();
    }

    private static string ResultUrl(JobRecord job, int step, string connection) => step switch
    {
        0 => connection,
        1 => $"/users/{job.UserId}/accounts?filter=institution.id.eq('{job.InstitutionId}')",
        _ => $"/users/{job.UserId}/transactions?filter=institution.id.eq('{job.InstitutionId}')",
    };

    private static ReadOnlySpan<byte> Name(StepStatus status) => status switch
    {
        StepStatus.Pending => "pending"u8,
        StepStatus.InProgress => "in-progress"u8,
        StepStatus.Success => "success"u8,
        _ => "failed"u8,
    };
}
