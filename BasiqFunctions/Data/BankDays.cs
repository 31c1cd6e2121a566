using NodaTime;
using NodaTime.TimeZones;

namespace BasiqFunctions.Data;

/// <summary>
/// The calendar day that a date of Basiq's stands for at the bank, as yyyyMMdd; 0 for none. The one place that knows.
/// </summary>
/// <remarks>
/// Banks that are read through their web pages give the day alone, which Basiq writes as midnight UTC: that is the date as it is
/// written. Open banking gives an instant, which Basiq writes in UTC: midnight of 19 November in Sydney is
/// <c>2021-11-18T13:00:00Z</c>, and its day is the date in the bank's time zone. A time without an offset counts as UTC. One that cannot
/// be read leaves the date as it is written, and the zero date that stands for "none" is none.
/// </remarks>
internal sealed class BankDays(string timeZone)
{
    private const int SecondsOfDay = 24 * 60 * 60;

    private static readonly long UnixEpoch = DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber;

    // Read when the first time comes that is not midnight: a start need not wait for the zone's rules.
    private readonly Lazy<DateTimeZone> _zone = new(() => DateTimeZoneProviders.Tzdb[timeZone]);

    /// <summary>The zone's name in the IANA database.</summary>
    public string TimeZone => timeZone;

    /// <summary>Whether the IANA database, which comes with the app, has a zone of this name.</summary>
    public static bool IsTimeZone(string? name) => name is not null && TzdbDateTimeZoneSource.Default.GetIds().Contains(name);

    /// <summary>The day at the bank at a moment.</summary>
    public DateOnly On(DateTimeOffset moment) => Instant.FromDateTimeOffset(moment).InZone(_zone.Value).Date.ToDateOnly();

    /// <summary>The day of a date or a time in ISO 8601, UTF-8.</summary>
    public int Of(ReadOnlySpan<byte> text)
    {
        if (!TryReadDate(text, out var date) || date == DateOnly.MinValue)
            return 0;

        // Nearly all that banks send is the one or the other.
        if (text.Length == 10 || text[11..].SequenceEqual("00:00:00Z"u8) || !TryReadTime(text[11..], out var time) || time.IsMidnightOfUtc)
            return Number(date);
        var instant = ((date.DayNumber - UnixEpoch) * SecondsOfDay) + time.SecondOfDay - time.Offset;
        var local = instant + _zone.Value.GetUtcOffset(Instant.FromUnixTimeSeconds(instant)).Seconds;
        var day = UnixEpoch + (long)Math.Floor((double)local / SecondsOfDay);
        return day > DateOnly.MinValue.DayNumber && day <= DateOnly.MaxValue.DayNumber ? Number(DateOnly.FromDayNumber((int)day)) : Number(date);
    }

    private static int Number(DateOnly date) => (date.Year * 10000) + (date.Month * 100) + date.Day;

    private static bool TryReadDate(ReadOnlySpan<byte> text, out DateOnly date)
    {
        date = default;
        if (text.Length < 10 || text[4] != '-' || text[7] != '-' || (text.Length > 10 && text[10] is not ((byte)'T' or (byte)'t' or (byte)' ')))
            return false;
        int year = Digits(text[..4]), month = Digits(text[5..7]), day = Digits(text[8..10]);
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
            return false;
        date = new DateOnly(year, month, day);
        return true;
    }

    /// <summary>Reads <c>hh:mm[:ss[.fraction]][Z|±hh[[:]mm]]</c>.</summary>
    private static bool TryReadTime(ReadOnlySpan<byte> text, out Time time)
    {
        time = default;
        if (text.Length < 5 || text[2] != ':')
            return false;
        int hour = Digits(text[..2]), minute = Digits(text[3..5]), second = 0;
        var rest = text[5..];
        var isWhole = true;
        if (rest is [(byte)':', _, _, ..])
        {
            second = Digits(rest[1..3]);
            rest = rest[3..];
            if (rest is [(byte)'.', _, ..])
            {
                var digits = rest[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9') is >= 0 and var end ? end : rest.Length - 1;
                if (digits == 0)
                    return false;
                isWhole = !rest[1..(1 + digits)].ContainsAnyExcept((byte)'0');
                rest = rest[(1 + digits)..];
            }
        }

        if (hour is < 0 or > 23 || minute is < 0 or > 59 || second is < 0 or > 60 || !TryReadOffset(rest, out var offset))
            return false;
        time = new Time((((hour * 60) + minute) * 60) + second, offset, isWhole);
        return true;
    }

    private static bool TryReadOffset(ReadOnlySpan<byte> text, out int seconds)
    {
        seconds = 0;
        if (text.IsEmpty || text is [(byte)'Z'] or [(byte)'z'])
            return true;
        if (text[0] is not ((byte)'+' or (byte)'-') || text.Length is not (3 or 5 or 6) || (text.Length == 6 && text[3] != ':'))
            return false;
        int hours = Digits(text[1..3]), minutes = text.Length == 3 ? 0 : Digits(text[^2..]);
        if (hours is < 0 or > 23 || minutes is < 0 or > 59)
            return false;
        seconds = ((hours * 60) + minutes) * 60 * (text[0] == (byte)'-' ? -1 : 1);
        return true;
    }

    private static int Digits(ReadOnlySpan<byte> text)
    {
        var value = 0;
        foreach (var c in text)
        {
            if (c is < (byte)'0' or > (byte)'9')
                return -1;
            value = (value * 10) + (c - '0');
        }

        return value;
    }

    private readonly record struct Time(int SecondOfDay, int Offset, bool IsWholeSecond)
    {
        public bool IsMidnightOfUtc => SecondOfDay == 0 && Offset == 0 && IsWholeSecond;
    }
}
