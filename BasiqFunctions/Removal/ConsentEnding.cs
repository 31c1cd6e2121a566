using System.Globalization;
using System.IO.Hashing;
using System.Text;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform.Notices;

namespace BasiqFunctions.Removal;

/// <summary>When the team's backend is told that a consent is about to end: 30, 7 and 1 days before.</summary>
internal static class ConsentEnding
{
    /// <summary>How late it is told: for as long it is known that it was.</summary>
    private static readonly TimeSpan Latest = TimeSpan.FromDays(7);

    /// <summary>When it is told once more, for a look that died before what it told was taken. As the same message it counts once.</summary>
    private static readonly TimeSpan Again = TimeSpan.FromDays(2);

    private static readonly int[] Days = [1, 7, 30];

    /// <summary>What is to be told now; null when nothing is. Told twice it is the same message.</summary>
    public static Notice? At(DateTimeOffset now, UserId userId, Consent consent)
    {
        if (consent.EndsAt is not { } end || end <= now || Days.Cast<int?>().FirstOrDefault(days => now >= Time(end, days!.Value)) is not { } days || now - Time(end, days) > Latest)
            return null;
        var name = string.Create(CultureInfo.InvariantCulture, $"{userId}/{consent.Id}/{end.UtcTicks}/{days}");
        return new Notice(
            Notice.IdFor(Time(end, days), new Guid(XxHash128.Hash(Encoding.UTF8.GetBytes(name)))),
            NoticeTypes.ConsentEnding,
            now,
            new NoticeData(userId) { ConsentId = consent.Id, EndsAt = end, Days = days });
    }

    /// <summary>When to look at a consent again: when something is to be told, and when it ends.</summary>
    public static IEnumerable<DateTimeOffset> After(DateTimeOffset now, Consent consent) =>
        consent.EndsAt is { } end ? Days.SelectMany(days => (DateTimeOffset[])[Time(end, days), Time(end, days) + Again]).Where(at => at > now && at < end).Append(end) : [];

    private static DateTimeOffset Time(DateTimeOffset end, int days) => end - DateTimeOffset.MinValue > TimeSpan.FromDays(days) ? end - TimeSpan.FromDays(days) : end;
}
