using System.Globalization;
using Parquet;
using Parquet.Schema;

namespace BasiqFunctions.Data.Exports;

/// <summary>
/// Parquet: text as strings, money as decimals, days as dates; compressed by Snappy, which every reader knows. Rows go out in groups, of
/// which one is held.
/// </summary>
internal sealed class ParquetExport : IExportWriter
{
    /// <summary>What .NET's decimals hold, with more decimal places than any currency has.</summary>
    private const int Precision = 28;
    private const int Scale = 9;
    private const int RowsOfGroup = 8_192;

    private static readonly decimal Most = (decimal)Math.Pow(10, Precision - Scale);

    private readonly DataField[] _fields;
    private readonly ParquetWriter _writer;
    private readonly List<string?[]> _rows = new(RowsOfGroup);

    private ParquetExport(DataField[] fields, ParquetWriter writer) => (_fields, _writer) = (fields, writer);

    public static async Task<ParquetExport> OpenAsync(Stream target, CancellationToken cancellationToken)
    {
        DataField[] fields =
        [
            .. ExportColumn.All.Select(column => column.Kind switch
            {
                ExportKind.Money => new DecimalDataField(column.Name, Precision, Scale, isNullable: true),
                ExportKind.Day => new DataField(column.Name, typeof(DateOnly), isNullable: true),
                _ => new DataField(column.Name, typeof(string), isNullable: true),
            }),
        ];
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Snappy };
        return new ParquetExport(fields, await ParquetWriter.CreateAsync(new ParquetSchema(fields), target, options, cancellationToken: cancellationToken));
    }

    public async Task WriteAsync(IReadOnlyList<string?[]> rows, CancellationToken cancellationToken)
    {
        foreach (var row in rows)
        {
            _rows.Add(row);
            if (_rows.Count == RowsOfGroup)
                await WriteGroupAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_rows.Count > 0)
            await WriteGroupAsync(CancellationToken.None);
        await _writer.DisposeAsync();
    }

    private async Task WriteGroupAsync(CancellationToken cancellationToken)
    {
        using var group = _writer.CreateRowGroup();
        for (var i = 0; i < _fields.Length; i++)
        {
            switch (ExportColumn.All[i].Kind)
            {
                case ExportKind.Money:
                    await group.WriteAsync<decimal>(_fields[i], Column(i, AmountOf), null, null, cancellationToken);
                    break;
                case ExportKind.Day:
                    await group.WriteAsync<DateOnly>(_fields[i], Column(i, DayOf), null, null, cancellationToken);
                    break;
                default:
                    await group.WriteAsync(_fields[i], Column(i, text => text!), null);
                    break;
            }
        }

        group.CompleteValidate();
        _rows.Clear();
    }

    private T[] Column<T>(int index, Func<string?, T> read)
    {
        var values = new T[_rows.Count];
        for (var row = 0; row < values.Length; row++)
            values[row] = read(_rows[row][index]);
        return values;
    }

    private static DateOnly? DayOf(string? text) => text is null ? null : DateOnly.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>Null of what is no such number: a wrong amount would be worse than none.</summary>
    private static decimal? AmountOf(string? text) =>
        decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
        && decimal.Abs(amount) < Most && decimal.Round(amount, Scale) == amount
            ? amount
            : null;
}
