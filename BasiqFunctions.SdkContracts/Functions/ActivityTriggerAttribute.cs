namespace Microsoft.Azure.Functions.Worker;

/// <summary>Binds a parameter to the input of the activity that it runs.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class ActivityTriggerAttribute : Attribute;
