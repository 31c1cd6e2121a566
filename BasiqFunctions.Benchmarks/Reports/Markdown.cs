using System.Globalization;
using System.Text;

namespace BasiqFunctions.Benchmarks.Reports;

/// <summary>Reports as Markdown.</summary>
internal static class Markdown
{
    public static string Of(PartReport part)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"## {part.Part}").AppendLine().AppendLine(part.How).AppendLine();
        foreach (var table in part.Tables)
            text.AppendLine(CultureInfo.InvariantCulture, $"{table.Title}:").AppendLine().Append(Of(table)).AppendLine();
        if (part.Goals.Count > 0)
            text.Append(Of(part.Goals)).AppendLine();
        return text.ToString();
    }

    public static string Of(Table table)
    {
        var text = new StringBuilder();
        text.Append("| ").Append(table.Labels).Append(" |");
        foreach (var column in table.Columns)
            text.Append(' ').Append(column.Name).Append(" |");
        text.AppendLine().Append("|---|").Insert(text.Length, "---:|", table.Columns.Count).AppendLine();
        foreach (var row in table.Rows)
        {
            text.Append("| ").Append(row.Label).Append(" |");
            foreach (var (column, value) in table.Columns.Zip(row.Values))
                text.Append(' ').Append(Of(value, column.Decimals)).Append(" |");
            text.AppendLine();
        }

        return text.ToString();
    }

    public static string Of(IReadOnlyList<Goal> goals)
    {
        var text = new StringBuilder();
        text.AppendLine("| goal | measured | wanted | |").AppendLine("|---|---:|---:|---|");
        foreach (var goal in goals)
        {
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {goal.What} | {Number(goal.Measured)} | {(goal.IsLeast ? "at least" : "at most")} {Number(goal.Limit)} | {(goal.IsMet ? "met" : "**missed**")} |");
        }

        return text.ToString();
    }

    private static string Of(double? value, int decimals) =>
        value?.ToString("N" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) ?? "";

    /// <summary>Three digits are enough to compare with a goal.</summary>
    private static string Number(double value) => Math.Abs(value) >= 100
        ? value.ToString("N0", CultureInfo.InvariantCulture)
        : value.ToString("0.##", CultureInfo.InvariantCulture);
}
