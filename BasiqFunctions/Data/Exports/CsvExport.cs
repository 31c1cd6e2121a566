using System.Globalization;
using System.Text;
using nietras.SeparatedValues;

namespace BasiqFunctions.Data.Exports;

/// <summary>CSV as in RFC 4180: a header, commas, CRLF, and quotation marks where they are needed. UTF-8 without a byte order mark.</summary>
/// <remarks>
/// What a spreadsheet would take for a formula gets an apostrophe in front, which it shows as text (OWASP, "CSV Injection"): anybody who pays can write into a
/// description. A number may begin with a minus.
/// </remarks>
internal sealed class CsvExport : IExportWriter
{
    private readonly StreamWriter _text;
    private readonly SepWriter _rows;

    public CsvExport(Stream target)
    {
        _text = new StreamWriter(target, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\r\n" };
        _rows = Sep.New(',').Writer(options => options with { Escape = true, WriteHeader = false }).To(_text, leaveOpen: true);
        Write([.. ExportColumn.All.Select(column => column.Name)]);
    }

    public async Task WriteAsync(IReadOnlyList<string?[]> rows, CancellationToken cancellationToken)
    {
        foreach (var row in rows)
            Write(row);
        _rows.Flush();
        await _text.FlushAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _rows.DisposeAsync();
        await _text.DisposeAsync();
    }

    private void Write(string?[] values)
    {
        using var row = _rows.NewRow();
        for (var i = 0; i < values.Length; i++)
        {
            var value = values[i] ?? "";
            row[i].Set(ExportColumn.All[i].Kind is ExportKind.Money && IsNumber(value) ? value : Harmless(value));
        }
    }

    private static string Harmless(string value) =>
        value.Length > 0 && value[0] is '=' or '+' or '-' or '@' or '\t' or '\r' or '\n' or '＝' or '＋' or '－' or '＠' ? "'" + value : value;

    /// <summary>A plus in front makes one a formula.</summary>
    private static bool IsNumber(string value) =>
        !value.StartsWith('+') && decimal.TryParse(value, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _);
}
