namespace Microsoft.Azure.Functions.Worker;

/// <summary>Binds a parameter to the context of the orchestration that it runs.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class OrchestrationTriggerAttribute : Attribute;
