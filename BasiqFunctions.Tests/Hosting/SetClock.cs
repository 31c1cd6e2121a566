using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>A clock that can be set to another time, while its timers go by the time that passes.</summary>
internal sealed class SetClock(DateTimeOffset start) : FakeTimeProvider(start)
{
    /// <summary>How far it shows from the time that it would show had nobody set it.</summary>
    public TimeSpan Offset { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;

    public override long GetTimestamp() => base.GetUtcNow().Ticks;
}
