namespace BasiqFunctions.Data;

/// <summary>What a sync learned from Basiq's list of the user's accounts, beside the accounts that it takes.</summary>
/// <param name="Connections">Every connection that the list names.</param>
/// <param name="EndedConnections">
/// Connections of which Basiq says that they have ended: their accounts go where the list has them anew (<see cref="MadeAnew"/>).
/// </param>
/// <param name="IsWhole">Whether each of its records could be read. What a list lacks that is not whole may be there all the same.</param>
public sealed record AccountListing(IReadOnlyList<string> Connections, IReadOnlyList<string> EndedConnections, bool IsWhole)
{
    /// <summary>Accounts that are kept and are believed to be gone at the bank. Others that a list lacks stay: it may be odd for once.</summary>
    public IReadOnlyList<string> GoneAccounts { get; init; } = [];

    /// <summary>When it was read, by a clock that Basiq's confirms; null by one that it does not: then nobody knows since when an account is missing.</summary>
    public DateTimeOffset? ReadAt { get; init; }

    /// <summary>Nothing learned.</summary>
    public static AccountListing None { get; } = new([], [], IsWhole: true);
}
