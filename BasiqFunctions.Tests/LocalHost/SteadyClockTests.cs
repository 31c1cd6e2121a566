using BasiqFunctions.LocalHost;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Tests.LocalHost;

[Trait("Category", "Unit")]
public sealed class SteadyClockTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 7, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly SetClock _machine = new(Start);
    private readonly LogCapture _logs = new();
    private readonly SteadyClock _clock;

    public SteadyClockTests()
    {
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(_logs));
        _clock = new SteadyClock(_machine, loggers.CreateLogger<SteadyClock>());
    }

    public void Dispose() => _logs.Dispose();

    [Theory]
    [InlineData(370 * 24)]
    [InlineData(-24)]
    [InlineData(2)]
    public void A_jump_is_believed_when_it_has_stood_for_ten_minutes_and_is_told_once(int hours)
    {
        _machine.Offset = TimeSpan.FromHours(hours);

        Assert.Equal(Start, _clock.GetUtcNow());
        _machine.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal(Start.AddMinutes(9), _clock.GetUtcNow());
        Assert.Contains($"[2300] The clock jumped by {hours * 3600} s.", Assert.Single(_logs.Lines), StringComparison.Ordinal);

        _machine.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(Start.AddMinutes(10).AddHours(hours), _clock.GetUtcNow());
        Assert.Contains("[2301]", _logs.Lines.Last(), StringComparison.Ordinal);
        Assert.Equal(2, _logs.Lines.Count);
    }

    [Fact]
    public void A_jump_that_is_taken_back_has_never_been()
    {
        _machine.Offset = TimeSpan.FromDays(370);
        Assert.Equal(Start, _clock.GetUtcNow());
        _machine.Advance(TimeSpan.FromSeconds(75));
        _machine.Offset = TimeSpan.Zero;
        Assert.Equal(Start.AddSeconds(75), _clock.GetUtcNow());

        _machine.Offset = TimeSpan.FromDays(370);
        _machine.Advance(TimeSpan.FromMinutes(9));
        Assert.Equal(Start.AddSeconds(75 + (9 * 60)), _clock.GetUtcNow());
    }

    [Fact]
    public void A_clock_that_jumps_about_is_not_believed()
    {
        foreach (var days in new[] { 1, 370, -5, 20 })
        {
            _machine.Offset = TimeSpan.FromDays(days);
            _clock.GetUtcNow();
            _machine.Advance(TimeSpan.FromMinutes(6));
        }

        Assert.Equal(Start.AddMinutes(24), _clock.GetUtcNow());
    }

    [Fact]
    public void A_clock_that_is_corrected_by_up_to_an_hour_is_followed()
    {
        _machine.Offset = TimeSpan.FromMinutes(-59);
        Assert.Equal(Start.AddMinutes(-59), _clock.GetUtcNow());
        _machine.Offset = TimeSpan.FromMinutes(1);
        Assert.Equal(Start.AddMinutes(1), _clock.GetUtcNow());
        Assert.Empty(_logs.Lines);
    }
}
