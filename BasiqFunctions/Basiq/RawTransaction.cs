using System.Buffers.Text;
using System.Text;

namespace BasiqFunctions.Basiq;

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

    /// <summary>The day it was posted or, lacking that, made; null when the bank gives neither in a readable form.</summary>
    public DateOnly? Day => ReadDay(PostDate.Span) ?? ReadDay(TransactionDate.Span);

    /// <summary>The id alone: the rest is personal data.</summary>
    public override string ToString() => $"{nameof(RawTransaction)} {Encoding.UTF8.GetString(Id.Span)}";

    private static DateOnly? ReadDay(ReadOnlySpan<byte> text) =>
        text.Length >= 10
        && text[4] == (byte)'-'
        && text[7] == (byte)'-'
        && Utf8Parser.TryParse(text[..4], out int year, out var consumed) && consumed == 4
        && Utf8Parser.TryParse(text[5..7], out int month, out consumed) && consumed == 2
        && Utf8Parser.TryParse(text[8..10], out int day, out consumed) && consumed == 2
        && year is >= 1 and <= 9999
        && month is >= 1 and <= 12
        && day >= 1 && day <= DateTime.DaysInMonth(year, month)
            ? new DateOnly(year, month, day)
            : null;
}
