namespace BasiqFunctions.Notifications;

/// <summary>When a message that does not arrive is tried again.</summary>
internal static class DeliverySchedule
{
    /// <summary>How long a message is tried.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    /// <summary>From the first attempt on; after the last of them, each <see cref="Then"/>.</summary>
    private static readonly TimeSpan[] Times =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(2), TimeSpan.FromHours(5), TimeSpan.FromHours(10),
    ];

    private static readonly TimeSpan Then = TimeSpan.FromHours(12);

    /// <summary>The next attempt; null when there is none any more. Those that were missed are left out.</summary>
    /// <param name="first">When the first one was.</param>
    /// <param name="now">Now.</param>
    /// <param name="asked">How long the receiver asks to wait.</param>
    public static DateTimeOffset? Next(DateTimeOffset first, DateTimeOffset now, TimeSpan? asked)
    {
        var age = now - first;
        var next = Times.Cast<TimeSpan?>().FirstOrDefault(time => time > age) ?? Times[^1] + (Then * (Math.Floor((age - Times[^1]) / Then) + 1));
        if (asked > next - age)
            next = age + asked.Value;
        return next <= Longest ? first + next : null;
    }
}
