namespace BasiqFunctions.Benchmarks.Processes;

/// <summary>There is no Azurite on this machine: Node or npm is missing, or it does not start.</summary>
internal sealed class AzuriteException(string message) : Exception(message);
