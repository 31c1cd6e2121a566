namespace Microsoft.Azure.Functions.Worker;

/// <summary>Runs a function on an NCRONTAB schedule (six fields, seconds first).</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class TimerTriggerAttribute(string schedule) : Attribute
{
    public string Schedule { get; } = schedule;

    public bool RunOnStartup { get; set; }

    public bool UseMonitor { get; set; } = true;
}
