namespace BasiqFunctions.Benchmarks.Load;

/// <summary>What the load generator is told to do: send one request over and over again.</summary>
/// <param name="Port">Where, on this machine.</param>
/// <param name="Request">The request, head and body, as it goes over the wire.</param>
/// <param name="Status">The status that every answer must have.</param>
/// <param name="Connections">How many connections do so at once, each waiting for its answer.</param>
/// <param name="Seconds">For how long.</param>
internal sealed record LoadOrder(int Port, string Request, int Status, int Connections, double Seconds);
