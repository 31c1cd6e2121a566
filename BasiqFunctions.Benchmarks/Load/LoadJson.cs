using System.Text.Json.Serialization;

namespace BasiqFunctions.Benchmarks.Load;

/// <summary>Orders and results as lines of JSON.</summary>
[JsonSerializable(typeof(LoadOrder))]
[JsonSerializable(typeof(LoadResult))]
internal sealed partial class LoadJson : JsonSerializerContext;
