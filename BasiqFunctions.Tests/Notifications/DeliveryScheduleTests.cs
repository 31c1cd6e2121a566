using BasiqFunctions.Notifications;

namespace BasiqFunctions.Tests.Notifications;

/// <summary>When a message is tried again.</summary>
[Trait("Category", "Unit")]
public sealed class DeliveryScheduleTests
{
    private static readonly DateTimeOffset First = new(2026, 7, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void It_is_tried_soon_at_first_then_each_twelve_hours_and_for_seven_days()
    {
        List<TimeSpan> times = [];
        for (var at = DeliverySchedule.Next(First, First, null); at is { } next; at = DeliverySchedule.Next(First, next + TimeSpan.FromSeconds(1), null))
            times.Add(next - First);

        Assert.Equal(["00:00:05", "00:00:30", "00:05:00", "00:30:00", "02:00:00", "05:00:00", "10:00:00", "22:00:00", "1.10:00:00"], times.Take(9).Select(time => time.ToString()));
        Assert.All(times.Skip(8).Zip(times.Skip(7)), pair => Assert.Equal(TimeSpan.FromHours(12), pair.First - pair.Second));
        Assert.InRange(times[^1], TimeSpan.FromDays(6.5), TimeSpan.FromDays(7));
    }

    [Fact]
    public void What_was_missed_is_left_out_and_a_wait_that_the_receiver_asks_for_is_kept()
    {
        Assert.Equal(First + TimeSpan.FromHours(5), DeliverySchedule.Next(First, First + TimeSpan.FromHours(3), null));
        Assert.Equal(First + TimeSpan.FromMinutes(5), DeliverySchedule.Next(First, First + TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1)));
        Assert.Equal(First + TimeSpan.FromMinutes(61), DeliverySchedule.Next(First, First + TimeSpan.FromMinutes(1), TimeSpan.FromHours(1)));
        Assert.Null(DeliverySchedule.Next(First, First + TimeSpan.FromDays(8), null));
        Assert.Null(DeliverySchedule.Next(First, First + TimeSpan.FromDays(1), TimeSpan.FromDays(7)));
    }
}
