using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace BasiqFunctions.Reports;

/// <summary>How texts are written alike before they are compared.</summary>
internal static class Spelling
{
    /// <summary>Capitals with the letters that stand for them. A table of its own: without ICU .NET takes no accent off.</summary>
    private static readonly FrozenDictionary<char, string> Letters =
        new (char Letter, string Accented)[]
        {
            ('A', "ÀÁÂÃÄÅĀĂĄǍǞǠǺȀȂȦḀẠẢẤẦẨẪẬẮẰẲẴẶ"),
            ('B', "ḂḄḆ"),
            ('C', "ÇĆĈĊČḈ"),
            ('D', "ĎḊḌḎḐḒ"),
            ('E', "ÈÉÊËĒĔĖĘĚȄȆȨḔḖḘḚḜẸẺẼẾỀỂỄỆ"),
            ('F', "Ḟ"),
            ('G', "ĜĞĠĢǦǴḠ"),
            ('H', "ĤȞḢḤḦḨḪ"),
            ('I', "ÌÍÎÏĨĪĬĮİǏȈȊḬḮỈỊ"),
            ('J', "Ĵ"),
            ('K', "ĶǨḰḲḴ"),
            ('L', "ĹĻĽḶḸḺḼ"),
            ('M', "ḾṀṂ"),
            ('N', "ÑŃŅŇǸṄṆṈṊ"),
            ('O', "ÒÓÔÕÖŌŎŐƠǑǪǬȌȎȪȬȮȰṌṎṐṒỌỎỐỒỔỖỘỚỜỞỠỢ"),
            ('P', "ṔṖ"),
            ('R', "ŔŖŘȐȒṘṚṜṞ"),
            ('S', "ŚŜŞŠȘṠṢṤṦṨ"),
            ('T', "ŢŤȚṪṬṮṰ"),
            ('U', "ÙÚÛÜŨŪŬŮŰŲƯǓǕǗǙǛȔȖṲṴṶṸṺỤỦỨỪỬỮỰ"),
            ('V', "ṼṾ"),
            ('W', "ŴẀẂẄẆẈ"),
            ('X', "ẊẌ"),
            ('Y', "ÝŶŸȲẎỲỴỶỸ"),
            ('Z', "ŹŻŽẐẒẔ"),
        }
        .SelectMany(letters => letters.Accented.Select(accented => KeyValuePair.Create(accented, letters.Letter.ToString())))
        .Concat(new Dictionary<char, string>
        {
            ['Æ'] = "AE",
            ['Œ'] = "OE",
            ['Ø'] = "O",
            ['Ł'] = "L",
            ['Đ'] = "D",
            ['Ð'] = "D",
            ['Þ'] = "TH",
            ['ẞ'] = "SS",
            ['ß'] = "SS",
            ['ı'] = "I",
        })
        .ToFrozenDictionary();

    /// <summary>Letters that some spell out where others take off the accent.</summary>
    private static readonly FrozenDictionary<char, string> SpelledOut = new Dictionary<char, string>
    {
        ['Ä'] = "AE",
        ['Ö'] = "OE",
        ['Ü'] = "UE",
        ['Å'] = "AA",
        ['Ø'] = "OE",
    }.ToFrozenDictionary();

    /// <summary>The words of a text in capitals. Apostrophes and full stops join what they stand between, and other punctuation separates, but for what is kept.</summary>
    public static string[] Words(string text, string kept = "")
    {
        var written = new StringBuilder(text.Length);
        foreach (var c in text.ToUpperInvariant())
        {
            if (char.IsLetterOrDigit(c) || char.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark || kept.Contains(c, StringComparison.Ordinal))
                written.Append(c);
            else if (c is not ('\'' or '\u2019' or '\u2018' or '\u02BC' or '`' or '\u00B4' or '.'))
                written.Append(' ');
        }

        return written.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>A word in capitals without accents.</summary>
    public static string Plain(string word) => Plain(word, FrozenDictionary<char, string>.Empty);

    /// <summary>Whether two words in capitals are the same but for accents, taken off or spelled out.</summary>
    public static bool AreSame(string one, string other) =>
        one == other || Plain(one) == Plain(other) || Plain(one, SpelledOut) == Plain(other) || Plain(one) == Plain(other, SpelledOut);

    private static string Plain(string word, FrozenDictionary<char, string> spelledOut)
    {
        var plain = new StringBuilder(word.Length);
        foreach (var letter in word)
        {
            if (spelledOut.TryGetValue(letter, out var spelled) || Letters.TryGetValue(letter, out spelled))
                plain.Append(spelled);
            else if (char.GetUnicodeCategory(letter) is not UnicodeCategory.NonSpacingMark)
                plain.Append(letter);
        }

        return plain.ToString();
    }
}
