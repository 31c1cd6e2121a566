using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Platform.Records;

/// <summary>Every table of the app.</summary>
public sealed class RecordTableList(IServiceProvider services)
{
    /// <summary>Each by what its feature calls it.</summary>
    public IReadOnlyList<(string Key, IRecordTable Table)> All { get; } =
        [.. services.GetServices<RecordTableKey>().Select(table => (table.Key, services.GetRequiredKeyedService<IRecordTable>(table.Key)))];
}

/// <summary>That there is a table, by what its feature calls it.</summary>
internal sealed record RecordTableKey(string Key);
