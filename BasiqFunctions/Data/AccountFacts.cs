using System.Text.Json;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Data;

/// <summary>What an account is known by at its bank, beside Basiq's ids.</summary>
/// <param name="AccountId">Basiq's id.</param>
/// <param name="ConnectionId">The connection.</param>
/// <param name="Institution">The bank.</param>
/// <param name="Number">Letters and digits of the number; empty where there is none, or none of its digits is shown.</param>
/// <param name="Currency">Where the bank says.</param>
/// <param name="Class">Such as <c>savings</c>.</param>
/// <param name="Name">What the bank or its customer calls it.</param>
internal sealed record AccountFacts(
    string AccountId, string ConnectionId, string? Institution, string Number, string? Currency, string? Class, string? Name)
{
    /// <summary>Reads them from an account as Basiq sent it.</summary>
    public static AccountFacts Of(string accountId, string connectionId, ReadOnlyMemory<byte> raw)
    {
        var account = Account.From(JsonElement.Parse(raw.Span));
        string number = string.Concat((account.AccountNo ?? "").Where(char.IsAsciiLetterOrDigit)).ToUpperInvariant();
        return new AccountFacts(
            accountId, connectionId, account.InstitutionId, number.Any(char.IsAsciiDigit) ? number : "", account.Currency, account.ClassType, account.Name);
    }

    /// <summary>Whether nothing speaks against another being the same account.</summary>
    public bool MayBe(AccountFacts other) =>
        Institution is not null && Institution == other.Institution && (Currency is null || other.Currency is null || Currency == other.Currency);

    /// <summary>The ids alone: the rest is personal data.</summary>
    public override string ToString() => $"{AccountId} of {ConnectionId}";
}
