namespace BasiqFunctions.Data.Exports;

/// <summary>A format of an export.</summary>
/// <param name="FileName">What a browser saves it as.</param>
/// <param name="ContentType">Its type.</param>
/// <param name="IsCompressed">Whether it is compressed by itself.</param>
/// <param name="OpenAsync">Begins to write one.</param>
internal sealed record ExportFormat(string FileName, string ContentType, bool IsCompressed, Func<Stream, CancellationToken, Task<IExportWriter>> OpenAsync)
{
    public const string CsvType = "text/csv";
    public const string ParquetType = "application/vnd.apache.parquet";

    public static ExportFormat Csv { get; } =
        new("transactions.csv", $"{CsvType}; charset=utf-8; header=present", IsCompressed: false, (target, _) => Task.FromResult<IExportWriter>(new CsvExport(target)));

    public static ExportFormat Parquet { get; } = new(
        "transactions.parquet", ParquetType, IsCompressed: true, async (target, cancellationToken) => await ParquetExport.OpenAsync(target, cancellationToken));
}

/// <summary>Writes rows of <see cref="ExportColumn.All"/> in a format. Disposed, it writes what the format ends with.</summary>
internal interface IExportWriter : IAsyncDisposable
{
    /// <summary>Writes some rows.</summary>
    Task WriteAsync(IReadOnlyList<string?[]> rows, CancellationToken cancellationToken);
}
