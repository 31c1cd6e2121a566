using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Sandbox;

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

internal sealed record UserRecord(string Id, DateTimeOffset Created, UserFields Fields);

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

    /// <summary>The consent it rests on was revoked: it is invalid, and the bank refuses the next job.</summary>
    public bool ConsentRevoked { get; init; }
}

/// <summary>A job; its progress is a function of the clock alone (see <see cref="JobProgress"/>).</summary>
internal sealed record JobRecord(
    string Id,
    string UserId,
    string ConnectionId,
    string InstitutionId,
    string LoginId,
    DateTimeOffset Created,
    TimeSpan Duration,
    bool NeverEnds,
    bool ConsentRevoked);

internal sealed record ConsentRecord(
    string Id, string UserId, DateTimeOffset Created, DateTimeOffset Updated, DateTimeOffset Expires, DateTimeOffset? Revoked);

internal sealed record AuthLinkRecord(string Id, string UserId, string Mobile, DateTimeOffset Expires);

/// <summary>A line of the state file: exactly one member is set.</summary>
internal sealed record StateLine
{
    public string? TokenKey { get; init; }
    public UserRecord? User { get; init; }
    public ConnectionRecord? Connection { get; init; }
    public JobRecord? Job { get; init; }
    public ConsentRecord? Consent { get; init; }
    public AuthLinkRecord? AuthLink { get; init; }
    public string? DeletedUser { get; init; }
    public string? DeletedAuthLink { get; init; }
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
