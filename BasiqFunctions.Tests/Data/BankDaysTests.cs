using System.Globalization;
using System.Text;
using BasiqFunctions.Data;

namespace BasiqFunctions.Tests.Data;

/// <summary>On which day a bank's statement has a transaction.</summary>
[Trait("Category", "Unit")]
public sealed class BankDaysTests
{
    private const string Sydney = "Australia/Sydney";

    [Theory]

    // The date alone, which Basiq writes as midnight UTC.
    [InlineData("2026-07-01T00:00:00Z", 2026_07_01)]
    [InlineData("2026-07-01T00:00:00.0Z", 2026_07_01)]
    [InlineData("2026-07-01T00:00:00.000000000Z", 2026_07_01)]
    [InlineData("2026-07-01T00:00Z", 2026_07_01)]
    [InlineData("2026-07-01T00:00:00z", 2026_07_01)]
    [InlineData("2026-07-01T00:00:00+00:00", 2026_07_01)]
    [InlineData("2026-07-01T00:00:00", 2026_07_01)]
    [InlineData("2026-07-01 00:00:00Z", 2026_07_01)]
    [InlineData("2026-07-01", 2026_07_01)]

    // An instant, in whatever way it is written.
    [InlineData("2026-06-30T14:00:00Z", 2026_07_01)]
    [InlineData("2026-06-30T13:59:59.999Z", 2026_06_30)]
    [InlineData("2026-06-30T14:00:00", 2026_07_01)]
    [InlineData("2026-07-01T00:00:00+10:00", 2026_07_01)]
    [InlineData("2026-07-01T00:00+1000", 2026_07_01)]
    [InlineData("2026-07-01T00:00:00.000+10", 2026_07_01)]
    [InlineData("2026-07-01T00:00:00+08:00", 2026_07_01)]
    [InlineData("2026-07-01T00:00:00.001Z", 2026_07_01)]
    [InlineData("2026-07-01T00:30:00+12:00", 2026_06_30)]
    [InlineData("2026-06-30T09:00:00-05:00", 2026_07_01)]
    [InlineData("2026-12-31T13:00:00Z", 2027_01_01)]
    [InlineData("2024-02-28T13:00:00Z", 2024_02_29)]
    [InlineData("2021-11-18T13:00:00Z", 2021_11_19)]
    [InlineData("2021-11-18T12:59:59Z", 2021_11_18)]
    [InlineData("1969-12-31T13:59:59Z", 1969_12_31)]
    [InlineData("1969-12-31T14:00:00Z", 1970_01_01)]

    // Summer time begins on 4 October 2026 and ends on 5 April.
    [InlineData("2026-10-03T13:59:59Z", 2026_10_03)]
    [InlineData("2026-10-03T14:00:00Z", 2026_10_04)]
    [InlineData("2026-10-04T12:59:59Z", 2026_10_04)]
    [InlineData("2026-10-04T13:00:00Z", 2026_10_05)]
    [InlineData("2026-04-04T12:59:59Z", 2026_04_04)]
    [InlineData("2026-04-04T13:00:00Z", 2026_04_05)]
    [InlineData("2026-04-05T13:59:59Z", 2026_04_05)]
    [InlineData("2026-04-05T14:00:00Z", 2026_04_06)]

    // A time that is none leaves the date; what is no date is no day.
    [InlineData("2026-07-01T25:00:00Z", 2026_07_01)]
    [InlineData("2026-07-01T14:00:00Zulu", 2026_07_01)]
    [InlineData("2026-07-01T14:00:00+1", 2026_07_01)]
    [InlineData("2026-07-01T14:00:00.Z", 2026_07_01)]
    [InlineData("2026-07-01T", 2026_07_01)]
    [InlineData("9999-12-31T23:00:00Z", 9999_12_31)]
    [InlineData("2026-02-29T00:00:00Z", 0)]
    [InlineData("2026-7-1", 0)]
    [InlineData("2026-07-011", 0)]
    [InlineData("01/07/2026", 0)]
    [InlineData("0001-01-01T00:00:00Z", 0)]
    [InlineData("0001-01-01T13:00:00Z", 0)]
    [InlineData("yesterday", 0)]
    [InlineData("", 0)]
    public void A_date_is_a_day_at_the_bank(string text, int day) => Assert.Equal(day, Day(Sydney, text));

    [Theory]
    [InlineData("Australia/Perth", 2026_06_30)]
    [InlineData("Australia/Brisbane", 2026_07_01)]
    [InlineData("Pacific/Auckland", 2026_07_01)]
    [InlineData("America/New_York", 2026_06_30)]
    [InlineData("Etc/UTC", 2026_06_30)]
    public void A_time_is_on_the_day_of_the_zone(string timeZone, int day) => Assert.Equal(day, Day(timeZone, "2026-06-30T14:00:00Z"));

    [Theory]
    [InlineData("2026-07-01T00:00:00Z")]
    [InlineData("2026-07-01T00:00:00.000Z")]
    [InlineData("2026-07-01T00:00Z")]
    [InlineData("2026-07-01T00:00:00+00:00")]
    [InlineData("2026-07-01")]
    public void Midnight_of_UTC_is_the_date_as_written_west_of_it_too(string text) => Assert.Equal(2026_07_01, Day("America/New_York", text));

    [Theory]
    [InlineData("2026-06-30T13:59:59Z", 30)]
    [InlineData("2026-06-30T14:00:00Z", 1)]
    [InlineData("2026-07-01T00:00:00Z", 1)]
    public void A_moment_is_on_the_day_that_it_is_at_the_bank(string moment, int day) =>
        Assert.Equal(day, new BankDays(Sydney).On(DateTimeOffset.Parse(moment, CultureInfo.InvariantCulture)).Day);

    [Fact]
    public void A_day_needs_no_time_zones_of_the_machine()
    {
        // The image that the app runs on may have none, and be invariant.
        Assert.True(BankDays.IsTimeZone(Sydney));
        Assert.False(BankDays.IsTimeZone("australia/sydney"));
        Assert.False(BankDays.IsTimeZone("AUS Eastern Standard Time"));
        Assert.False(BankDays.IsTimeZone(""));
        Assert.False(BankDays.IsTimeZone(null));
    }

    [Fact]
    public void All_days_of_a_year_begin_at_midnight_in_Sydney()
    {
        for (var date = new DateOnly(2026, 1, 1); date.Year == 2026; date = date.AddDays(1))
        {
            // Days there differ by the hours that summer time takes and gives.
            var offset = date < new DateOnly(2026, 4, 6) || date > new DateOnly(2026, 10, 4) ? 11 : 10;
            var midnight = date.ToDateTime(TimeOnly.MinValue).AddHours(-offset);
            var expected = (date.Year * 10000) + (date.Month * 100) + date.Day;
            Assert.Equal(expected, Day(Sydney, midnight.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)));
            Assert.NotEqual(expected, Day(Sydney, midnight.AddSeconds(-1).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)));
        }
    }

    private static int Day(string timeZone, string text) => new BankDays(timeZone).Of(Encoding.UTF8.GetBytes(text));
}
