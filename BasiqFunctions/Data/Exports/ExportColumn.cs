namespace BasiqFunctions.Data.Exports;

/// <summary>What the values of a column are.</summary>
internal enum ExportKind
{
    /// <summary>Text, as Basiq sent it.</summary>
    Text,

    /// <summary>An amount of money.</summary>
    Money,

    /// <summary>A day at the bank (<see cref="BankDays"/>).</summary>
    Day,
}

/// <summary>A column of an export.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What its values are.</param>
/// <param name="Path">Where the value stands in a transaction; empty where it is the account's.</param>
internal sealed record ExportColumn(string Name, ExportKind Kind, params string[] Path)
{
    /// <summary>All of them, in their order: those of the account come first.</summary>
    public static IReadOnlyList<ExportColumn> All { get; } =
    [
        new("accountId", ExportKind.Text),
        new("connectionId", ExportKind.Text),
        new("institutionId", ExportKind.Text),
        new("transactionId", ExportKind.Text, "id"),
        new("status", ExportKind.Text, "status"),
        new("postDate", ExportKind.Day, "postDate"),
        new("transactionDate", ExportKind.Day, "transactionDate"),
        new("amount", ExportKind.Money, "amount"),
        new("currency", ExportKind.Text, "currency"),
        new("balance", ExportKind.Money, "balance"),
        new("direction", ExportKind.Text, "direction"),
        new("class", ExportKind.Text, "class"),
        new("subClassCode", ExportKind.Text, "subClass", "code"),
        new("subClass", ExportKind.Text, "subClass", "title"),
        new("description", ExportKind.Text, "description"),
        new("reference", ExportKind.Text, "reference"),
        new("cleanDescription", ExportKind.Text, "enrich", "cleanDescription"),
        new("merchant", ExportKind.Text, "enrich", "merchant", "businessName"),
    ];
}
