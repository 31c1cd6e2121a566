using System.Buffers.Text;
using System.Text.Json;

namespace BasiqFunctions.Sandbox.Data;

/// <summary>Cents as Basiq writes money: text with two decimals, <c>"-123.45"</c>.</summary>
internal static class Money
{
    public static void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> name, long cents)
    {
        Span<byte> text = stackalloc byte[24];
        writer.WriteString(name, text[..Format(text, cents)]);
    }

    private static int Format(Span<byte> text, long cents)
    {
        var at = 0;
        if (cents < 0)
            text[at++] = (byte)'-';
        var absolute = Math.Abs(cents);
        Utf8Formatter.TryFormat(absolute / 100, text[at..], out var written);
        at += written;
        var rest = (int)(absolute % 100);
        text[at++] = (byte)'.';
        text[at++] = (byte)('0' + (rest / 10));
        text[at++] = (byte)('0' + (rest % 10));
        return at;
    }
}
