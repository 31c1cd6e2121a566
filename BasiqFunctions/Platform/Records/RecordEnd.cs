using System.Text.Json.Serialization;

namespace BasiqFunctions.Platform.Records;

/// <summary>Which record ends.</summary>
/// <param name="Table">What its feature calls the table.</param>
/// <param name="Partition">Its partition.</param>
/// <param name="Row">Its row.</param>
internal sealed record RecordEnd(
    [property: JsonPropertyName("table")] string Table,
    [property: JsonPropertyName("partition")] string Partition,
    [property: JsonPropertyName("row")] string Row);
