using BasiqFunctions.Platform.Records;

namespace BasiqFunctions.Benchmarks.Simulation;

/// <summary>Tables that tell what is asked of them.</summary>
internal sealed class CountedTables(IRecordTables inner, Action<string> tell) : IRecordTables
{
    public IRecordTable Open(string name) => Counting<IRecordTable>.Before(inner.Open(name), tell);
}
