using BasiqFunctions.Sandbox.Users;

namespace BasiqFunctions.Sandbox.Connections;

/// <summary>The sandbox's banks, for whoever shows them to a person: Basiq's answers name a bank by its id only.</summary>
public static class Banks
{
    /// <summary>The banks' names by their institution ids.</summary>
    public static IReadOnlyDictionary<string, string> Names { get; } = Institution.All.ToDictionary(bank => bank.Id, bank => bank.Name);
}
