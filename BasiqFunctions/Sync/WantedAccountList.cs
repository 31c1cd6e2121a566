using BasiqFunctions.Data;

namespace BasiqFunctions.Sync;

/// <summary>The accounts that a sync takes.</summary>
/// <param name="Accounts">Each account's JSON as Basiq sent it.</param>
/// <param name="ConnectionIds">The connections whose accounts they are, also those that have none.</param>
/// <param name="Listing">What else the list told.</param>
/// <param name="Skipped">What of it could not be read.</param>
public sealed record WantedAccountList(
    IReadOnlyList<ReadOnlyMemory<byte>> Accounts,
    IReadOnlyList<string> ConnectionIds,
    AccountListing Listing,
    IReadOnlyList<SkippedAccounts> Skipped);
