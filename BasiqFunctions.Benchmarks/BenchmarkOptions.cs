using BasiqFunctions.Benchmarks.Parts;

namespace BasiqFunctions.Benchmarks;

/// <summary>What to measure, and where to write it.</summary>
/// <param name="Parts">The parts, in the order in which they run.</param>
/// <param name="Effort">How much of each.</param>
/// <param name="Out">The folder for the report as JSON and the plot; null writes none.</param>
internal sealed record BenchmarkOptions(IReadOnlyList<string> Parts, Effort Effort, string? Out)
{
    public const string Usage =
        "dotnet run -c Release --project BasiqFunctions.Benchmarks -- [throughput] [start] [syncs] [big-account] [refreshes] [changes] [detection] [webhooks] [sweeps] [reports] [replay] [micro] [--check] [--out folder]";

    /// <exception cref="ArgumentException">An argument is not understood; the message says which.</exception>
    public static BenchmarkOptions Parse(IReadOnlyList<string> args, IReadOnlyCollection<string> known, IReadOnlyCollection<string> ofCheck)
    {
        List<string> parts = [];
        var (effort, output) = (Effort.Full, (string?)null);
        for (var i = 0; i < args.Count; i++)
        {
            switch (args[i])
            {
                case "--check":
                    effort = Effort.Check;
                    break;
                case "--out" when i + 1 < args.Count:
                    output = args[++i];
                    break;
                case var part when known.Contains(part):
                    parts.Add(part);
                    break;
                default:
                    throw new ArgumentException($"'{args[i]}' is not understood.", nameof(args));
            }
        }

        return new BenchmarkOptions(parts.Count > 0 ? parts : [.. effort is Effort.Full ? known : ofCheck], effort, output);
    }
}
