using System.Text.Json;
using System.Text.Json.Serialization;
using BasiqFunctions.Sandbox.Auth;
using BasiqFunctions.Sandbox.Data;
using BasiqFunctions.Sandbox.Sync;

namespace BasiqFunctions.Sandbox.Platform;

/// <summary>The fields of a user that a caller may set; null where none was given.</summary>
internal sealed record UserFields
{
    public string? Email { get; init; }
    public string? Mobile { get; init; }
    public string? FirstName { get; init; }
    public string? MiddleName { get; init; }
    public string? LastName { get; init; }
    public string? BusinessName { get; init; }
    public string? BusinessIdNo { get; init; }
    public string? BusinessIdNoType { get; init; }
    public JsonElement? BusinessAddress { get; init; }
    public bool? VerificationStatus { get; init; }
    public string? VerificationDate { get; init; }
}

internal sealed record UserRecord(string Id, DateTimeOffset Created, UserFields Fields)
{
    /// <summary>Whose key made it: no other application finds it.</summary>
    public BasiqApplication Application { get; init; }
}

/// <summary>
/// A bank that a user connected. What its data look like is fixed when it is made, so that turning a knob changes the next
/// connection and not what was already fetched from this one.
/// </summary>
internal sealed record ConnectionRecord(
    string Id,
    string UserId,
    string InstitutionId,
    string LoginId,
    string ConsentId,
    DateTimeOffset Created,
    int Seed,
    int? Accounts,
    int? Transactions)
{
    /// <summary>The connection is gone; per the OpenAPI its accounts and transactions are not.</summary>
    public bool Deleted { get; init; }

    /// <summary>
    /// How far the person came who has not finished: <c>pre-init</c>, chose the bank; <c>init</c>, was at the bank and not let in. There is no consent
    /// behind it, and no job. Null once it has been authorised.
    /// </summary>
    public string? LeftAs { get; init; }

    /// <summary>The consent it rests on was revoked: it is invalid, and the bank refuses the next job.</summary>
    public bool ConsentRevoked { get; init; }

    /// <summary>When what had been retrieved by then was removed, by the person's own wish; null: never.</summary>
    public DateTimeOffset? Purged { get; init; }

    /// <summary>It is what an uploaded statement said: there is no bank that could be asked again, and no consent.</summary>
    public bool IsStatement { get; init; }
}

/// <summary>A job; its progress is a function of the clock and of this alone (see <see cref="JobProgress"/>).</summary>
internal sealed record JobRecord(
    string Id,
    string UserId,
    string ConnectionId,
    string InstitutionId,
    string LoginId,
    DateTimeOffset Created,
    TimeSpan Duration,
    bool NeverEnds,
    bool ConsentRevoked)
{
    /// <summary>It makes a connection or gives it a new consent, rather than refresh it.</summary>
    public bool Authorises { get; init; }

    /// <summary>Nobody asked for it: it keeps the connection fresh.</summary>
    public bool IsBackground { get; init; }

    /// <summary>The bank cannot be reached, so that it fails, and says nothing about whether the connection works.</summary>
    public bool BankIsOut { get; init; }

    /// <summary>How it fails while nobody asks for it; null: as any other.</summary>
    public string? BackgroundFailure { get; init; }

    /// <summary>What it finds at the bank; null where that is nothing but the days that passed.</summary>
    public Movement? Movement { get; init; }

    /// <summary>How long it is held back before it begins.</summary>
    public TimeSpan Pause { get; init; }

    /// <summary>It reads an uploaded statement: what it leads to is no source of it.</summary>
    public bool IsStatement { get; init; }

    /// <summary>It makes a report, and no bank has to do with it.</summary>
    public string? ReportId { get; init; }

    /// <summary>It makes a report and fails.</summary>
    public bool Fails { get; init; }

    /// <summary>The code that the bank asks for between logging in and giving data; null where it asks for none.</summary>
    public ChallengeRecord? Challenge { get; init; }
}

/// <summary>What a bank asks a person who logs in; answered at some moment, or not.</summary>
/// <param name="Code">The right answer.</param>
/// <param name="Expiry">How long it is waited for.</param>
/// <param name="WrongAnswers">How many answers were not right.</param>
/// <param name="Answered">When it was answered, or refused for good.</param>
/// <param name="Refused">Too many answers were wrong.</param>
internal sealed record ChallengeRecord(string Code, TimeSpan Expiry, int WrongAnswers, DateTimeOffset? Answered, bool Refused);

internal sealed record ConsentRecord(
    string Id, string UserId, DateTimeOffset Created, DateTimeOffset Updated, DateTimeOffset Expires, DateTimeOffset? Revoked)
{
    public bool HasEndedAt(DateTimeOffset now) => Revoked is not null || Expires <= now;
}

/// <summary>A report as it was made: later fetches of data change nothing about it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="JobId">The job that makes it.</param>
/// <param name="Type">Its type, as <c>CON_AFFOR_01</c>.</param>
/// <param name="Title">As given.</param>
/// <param name="Created">When it was asked for.</param>
/// <param name="Filters">As given, JSON.</param>
/// <param name="Json">What it says.</param>
/// <param name="Transactions">The transactions that it is about, JSON.</param>
internal sealed record ReportRecord(
    string Id, string JobId, string Type, string Title, DateTimeOffset Created, string Filters, string Json, string Transactions)
{
    public BasiqApplication Application { get; init; }

    /// <summary>Without what it says, whatever prints it.</summary>
    public override string ToString() => $"{nameof(ReportRecord)} {Id}";
}

internal sealed record AuthLinkRecord(string Id, string UserId, string Mobile, DateTimeOffset Expires);

/// <summary>Something that happened. It holds ids alone, so that it can outlast the user by the days that events are kept.</summary>
/// <param name="Id">64 hexadecimal digits, as Basiq's.</param>
/// <param name="Created">When it happened.</param>
/// <param name="TypeId">As <c>consent.revoked</c>.</param>
/// <param name="UserId">Whose it is.</param>
/// <param name="Path">Path of what it is about.</param>
/// <param name="Status">What that is from then on, where it has a status.</param>
/// <param name="ConnectionId">The bank connection it is about or came through.</param>
/// <param name="Count">How many transactions there are then, where it is about those.</param>
internal sealed record EventRecord(
    string Id, DateTimeOffset Created, string TypeId, string UserId, string Path, string? Status, string? ConnectionId, long? Count = null)
{
    public BasiqApplication Application { get; init; }
    public string Entity => TypeId[..TypeId.IndexOf('.', StringComparison.Ordinal)];
    public string EventType => TypeId[(Entity.Length + 1)..];
}

/// <summary>A subscription of webhooks.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">As given; may be null.</param>
/// <param name="Description">As given; may be null.</param>
/// <param name="Url">Where messages go.</param>
/// <param name="Events">The types it is for; empty: all.</param>
/// <param name="Secret">What messages are signed with, as <c>whsec_…</c>.</param>
/// <param name="BaseUrl">How the subscriber reaches this API: what links in messages begin with.</param>
/// <param name="Disabled">So many deliveries of a message failed that no more are tried until the subscription is updated.</param>
internal sealed record WebhookRecord(
    string Id, string? Name, string? Description, string Url, string[] Events, string Secret, string BaseUrl, bool Disabled)
{
    public BasiqApplication Application { get; init; }

    public bool Takes(string typeId) => Events.Length == 0 || Events.Contains(typeId);

    /// <summary>Without the secret, whatever prints it.</summary>
    public override string ToString() => $"{nameof(WebhookRecord)} {Id}";
}

/// <summary>A message to a subscriber, with what came of it so far.</summary>
/// <param name="Id">Its id, the same at every attempt.</param>
/// <param name="WebhookId">Whose it is.</param>
/// <param name="EventId">What it tells of.</param>
/// <param name="TypeId">The event's type.</param>
/// <param name="Path">The event's path.</param>
/// <param name="Text">What a test message was given to repeat.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Next">When it is tried next; null once it has arrived or was given up.</param>
/// <param name="Attempts">Oldest first.</param>
internal sealed record MessageRecord(
    string Id,
    string WebhookId,
    string EventId,
    string TypeId,
    string Path,
    string? Text,
    DateTimeOffset Created,
    DateTimeOffset? Next,
    AttemptRecord[] Attempts)
{
    public string Status => Next is not null ? "Pending" : Attempts is [.., { Succeeded: true }] ? "Success" : "Failed";
}

/// <summary>One attempt to deliver a message; without a status the endpoint was not reached.</summary>
internal sealed record AttemptRecord(string Id, DateTimeOffset At, string Url, int? Status, string Response)
{
    public bool Succeeded => Status is >= 200 and < 300;
}

/// <summary>A line of the state file: exactly one member is set, but for messages, which come with what happens together with them.</summary>
internal sealed record StateLine
{
    public string? TokenKey { get; init; }
    public UserRecord? User { get; init; }
    public ConnectionRecord? Connection { get; init; }
    public JobRecord? Job { get; init; }
    public ConsentRecord? Consent { get; init; }
    public AuthLinkRecord? AuthLink { get; init; }
    public EventRecord? Event { get; init; }
    public MessageRecord[]? Messages { get; init; }
    public WebhookRecord? Webhook { get; init; }
    public string? DeletedWebhook { get; init; }
    public string? DeletedUser { get; init; }
    public string? DeletedAuthLink { get; init; }
    public ReportRecord? Report { get; init; }
    public string? DeletedReport { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StateLine))]
internal sealed partial class StateJson : JsonSerializerContext;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    WriteIndented = true)]
[JsonSerializable(typeof(SandboxOptions))]
internal sealed partial class OptionsJson : JsonSerializerContext;
