using System.Globalization;

namespace BasiqFunctions.FaultTests;

/// <summary>What to run. The seed fixes the people, the draws of faults and the lengths of outages, not how threads interleave.</summary>
internal sealed record FaultRunOptions(int Seed, int Syncs, double Minutes, string? Out)
{
    public const string Usage =
        "dotnet run -c Release --project BasiqFunctions.FaultTests -- [--seed N] [--syncs 300] [--minutes 10] [--out table.md]";

    /// <exception cref="ArgumentException">An argument is unknown or out of range; the message says which.</exception>
    public static FaultRunOptions Parse(string[] args)
    {
        var options = new FaultRunOptions(Random.Shared.Next(1, 1_000_000), 300, 10, null);
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value.");
            options = args[i] switch
            {
                "--seed" when int.TryParse(value, CultureInfo.InvariantCulture, out var n) => options with { Seed = n },
                "--syncs" when int.TryParse(value, CultureInfo.InvariantCulture, out var n) && n is >= 1 and <= 10_000 =>
                    options with { Syncs = n },
                "--minutes" when double.TryParse(value, CultureInfo.InvariantCulture, out var n) && n is > 0 and <= 600 =>
                    options with { Minutes = n },
                "--out" => options with { Out = value },
                _ => throw new ArgumentException($"'{args[i]} {value}' is not understood."),
            };
        }

        return options;
    }
}
