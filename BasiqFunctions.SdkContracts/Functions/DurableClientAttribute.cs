namespace Microsoft.Azure.Functions.Worker;

/// <summary>Binds a parameter to the client that starts, finds and signals orchestrations.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class DurableClientAttribute : Attribute;
