namespace BasiqFunctions.Data;

/// <summary>The ids of a staged account, as found in its JSON (<c>id</c>, <c>connection</c>, <c>institution</c>).</summary>
public sealed record StagedAccount(string AccountId, string ConnectionId, string? InstitutionId);
