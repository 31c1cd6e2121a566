using System.Text;

namespace BasiqFunctions.Basiq.Models;

/// <summary>
/// One transaction inside a <see cref="TransactionsPage"/>: its bytes as received and the few fields needed to store it. Valid
/// until the page is disposed. A field that is missing or null is empty.
/// </summary>
/// <param name="Json">The whole object, UTF-8.</param>
/// <param name="Id">Id, UTF-8.</param>
/// <param name="AccountId">The account's id, UTF-8.</param>
/// <param name="Status"><c>pending</c> or <c>posted</c>, UTF-8.</param>
/// <param name="PostDate">As sent, ISO 8601, UTF-8.</param>
/// <param name="TransactionDate">As sent, ISO 8601, UTF-8.</param>
public readonly record struct RawTransaction(
    ReadOnlyMemory<byte> Json,
    ReadOnlyMemory<byte> Id,
    ReadOnlyMemory<byte> AccountId,
    ReadOnlyMemory<byte> Status,
    ReadOnlyMemory<byte> PostDate,
    ReadOnlyMemory<byte> TransactionDate)
{
    /// <summary>Whether it is pending: its id changes at every refresh.</summary>
    public bool IsPending => Status.Span.SequenceEqual("pending"u8);

    /// <summary>The id alone: the rest is personal data.</summary>
    public override string ToString() => $"{nameof(RawTransaction)} {Encoding.UTF8.GetString(Id.Span)}";
}
