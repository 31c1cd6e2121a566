using System.Globalization;
using System.Text.Json;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Data.Changes;

/// <summary>
/// Which pending transactions that are gone have become which posted ones that are new. Basiq does not say: a pending transaction is thrown
/// away and made anew under another id. This is the one place that says what it takes to believe it.
/// </summary>
/// <remarks>
/// Of the same account, amount and currency; posted on the pending one's day or within <see cref="MostDays"/> days after it; and described by
/// words alike: all words of the one are among those of the other. Words are runs of letters in capitals; what has digits in it (cards,
/// receipts, dates) is none, nor is what says no more than that it is pending. And nothing else fits: of a pending transaction that fits two posted ones, or two that fit
/// one, nothing is said.
/// </remarks>
internal sealed class Postings
{
    internal const int MostDays = 31;

    /// <summary>Nobody has so many pending transactions, or so many alike: of more nothing is said.</summary>
    private const int MostPending = 10_000;
    private const int MostPairs = 100_000;

    private static readonly HashSet<string> OfPending = new(StringComparer.Ordinal) { "PENDING", "AUTH", "AUTHORISATION", "AUTHORIZATION", "HOLD" };

    private readonly Dictionary<(string Amount, string Currency), List<Pending>> _pending = [];
    private readonly Dictionary<Fingerprint, Pending> _links = [];
    private readonly List<(Fingerprint Posted, Pending Pending)> _pairs = [];
    private int _count;

    /// <summary>Whether there is anything that could be posted.</summary>
    public bool IsAnyPending => _count > 0;

    /// <summary>How many posted ones are linked.</summary>
    public int Linked => _links.Count;

    /// <summary>How many fit, and are not, since others fit as well.</summary>
    public int Ambiguous { get; private set; }

    /// <summary>Takes in a pending transaction that may be gone.</summary>
    public void AddPending(Fingerprint key, ReadOnlySpan<byte> id, ReadOnlySpan<byte> transaction, int day)
    {
        if (++_count > MostPending || Extent.ToDate(day) is not { } date || Described.Read(transaction) is not { } described)
            return;
        if (!_pending.TryGetValue((described.Amount, described.Currency), out var alike))
            _pending.Add((described.Amount, described.Currency), alike = []);
        alike.Add(new Pending(key, id.ToArray(), date, described.Words));
    }

    /// <summary>Takes in a posted transaction that is new.</summary>
    public void AddPosted(Fingerprint key, ReadOnlySpan<byte> transaction, int day)
    {
        if (_count > MostPending || _pairs.Count > MostPairs || Extent.ToDate(day) is not { } date || Described.Read(transaction) is not { } described)
            return;
        foreach (var pending in _pending.GetValueOrDefault((described.Amount, described.Currency)) ?? [])
        {
            var days = date.DayNumber - pending.Day.DayNumber;
            if (days is >= 0 and <= MostDays && (pending.Words.IsSubsetOf(described.Words) || described.Words.IsSubsetOf(pending.Words)))
                _pairs.Add((key, pending));
        }
    }

    /// <summary>Decides, once all are known.</summary>
    /// <param name="isGone">Whether a pending one is gone.</param>
    public void Settle(Predicate<Fingerprint> isGone)
    {
        if (_count > MostPending || _pairs.Count > MostPairs)
            return;
        var pairs = _pairs.Where(pair => isGone(pair.Pending.Key)).ToArray();
        var byPending = pairs.CountBy(pair => pair.Pending.Key).ToDictionary();
        foreach (var posted in pairs.GroupBy(pair => pair.Posted))
        {
            if (posted.Count() == 1 && byPending[posted.First().Pending.Key] == 1)
                _links.Add(posted.Key, posted.First().Pending);
            else
                Ambiguous++;
        }
    }

    /// <summary>The id of the pending transaction that a posted one was, as it stood there; empty when nobody can say.</summary>
    public ReadOnlySpan<byte> OriginOf(Fingerprint posted) => _links.TryGetValue(posted, out var pending) ? pending.Id : default(ReadOnlySpan<byte>);

    private sealed record Pending(Fingerprint Key, byte[] Id, DateOnly Day, HashSet<string> Words)
    {
        /// <summary>The rest is personal data.</summary>
        public override string ToString() => nameof(Pending);
    }

    private sealed record Described(string Amount, string Currency, HashSet<string> Words)
    {
        /// <summary>Null of one that says too little.</summary>
        public static Described? Read(ReadOnlySpan<byte> transaction)
        {
            string? amount = null, currency = null, description = null;
            var reader = new Utf8JsonReader(transaction);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var field = reader.ValueTextEquals("amount"u8) ? 1 : reader.ValueTextEquals("currency"u8) ? 2 : reader.ValueTextEquals("description"u8) ? 3 : 0;
                reader.Read();
                var text = field != 0 && reader.TokenType == JsonTokenType.String ? reader.Decoded() : null;
                switch (field)
                {
                    case 1:
                        amount = text;
                        break;
                    case 2:
                        currency = text;
                        break;
                    case 3:
                        description = text;
                        break;
                }

                reader.Skip();
            }

            var words = WordsOf(description ?? "");
            return words.Count == 0 || !decimal.TryParse(amount, NumberStyles.Number, CultureInfo.InvariantCulture, out var value)
                ? null
                : new Described(value.ToString("0.############################", CultureInfo.InvariantCulture), currency ?? "", words);
        }

        /// <summary>The rest is personal data.</summary>
        public override string ToString() => nameof(Described);

        private static HashSet<string> WordsOf(string description)
        {
            HashSet<string> words = new(StringComparer.Ordinal);
            var at = 0;
            while (at < description.Length)
            {
                var start = at;
                while (at < description.Length && char.IsLetterOrDigit(description[at]))
                    at++;
                var run = description[start..at].ToUpperInvariant();
                if (run.Length > 0 && run.All(char.IsLetter) && !OfPending.Contains(run))
                    words.Add(run);
                at++;
            }

            return words;
        }
    }
}
