namespace BasiqFunctions.Users;

/// <summary>Australian business numbers and their check digits. Spaces may stand anywhere, as on letterheads.</summary>
internal static class BusinessNumber
{
    /// <summary>Australian Business Number (Australian Business Register, "Format of the ABN").</summary>
    public static bool IsAbn(string text)
    {
        Span<int> digits = stackalloc int[11];
        if (!TryRead(text, digits))
            return false;
        ReadOnlySpan<int> weights = [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19];
        digits[0] -= 1;
        return digits[0] >= 0 && Sum(digits, weights) % 89 == 0;
    }

    /// <summary>Australian Company Number (ASIC, "Australian Company Number digit check").</summary>
    public static bool IsAcn(string text)
    {
        Span<int> digits = stackalloc int[9];
        return TryRead(text, digits) && (10 - Sum(digits[..8], [8, 7, 6, 5, 4, 3, 2, 1]) % 10) % 10 == digits[8];
    }

    private static int Sum(ReadOnlySpan<int> digits, ReadOnlySpan<int> weights)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
            sum += digits[i] * weights[i];
        return sum;
    }

    private static bool TryRead(string text, Span<int> digits)
    {
        var count = 0;
        foreach (var c in text)
        {
            if (c == ' ')
                continue;
            if (!char.IsAsciiDigit(c) || count == digits.Length)
                return false;
            digits[count++] = c - '0';
        }

        return count == digits.Length;
    }
}
