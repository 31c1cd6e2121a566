namespace BasiqFunctions.LocalHost;

/// <summary>Which of the words that exist somebody may have meant.</summary>
internal static class Nearest
{
    /// <summary>A sentence that names the nearest word, with a space before it; empty when none is near.</summary>
    public static string Hint(string word, IEnumerable<string> words) =>
        words.Select(candidate => (candidate, distance: Distance(word.ToUpperInvariant(), candidate.ToUpperInvariant())))
            .Where(pair => pair.distance <= Math.Max(2, word.Length / 3))
            .OrderBy(pair => pair.distance)
            .Select(pair => $" Did you mean '{pair.candidate}'?")
            .FirstOrDefault("");

    /// <summary>How many letters must be added, removed or replaced (Levenshtein).</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }

        return row[^1];
    }
}
