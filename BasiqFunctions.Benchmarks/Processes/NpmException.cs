namespace BasiqFunctions.Benchmarks.Processes;

/// <summary>npm does not give a package.</summary>
internal sealed class NpmException(string message) : Exception(message);
