using System.Text;
using BasiqFunctions.Data;

namespace BasiqFunctions.Tests.Data;

[Trait("Category", "Unit")]
public sealed class FingerprintSetTests
{
    [Fact]
    public void A_hundred_thousand_texts_are_new_once_each()
    {
        var set = new FingerprintSet();
        var texts = Enumerable.Range(0, 100_000).Select(i => Fingerprint.Of(Encoding.UTF8.GetBytes($"transaction-{i}"))).ToArray();

        Assert.All(texts, text => Assert.True(set.Add(text)));
        Assert.All(texts, text => Assert.False(set.Add(text)));

        Assert.Equal(100_000, set.Count);
    }

    [Fact]
    public void Fingerprints_that_share_half_their_bits_are_told_apart()
    {
        var set = new FingerprintSet();
        Fingerprint[] all = [default, new(0, 512), new(512, 0), new(512, 512), new(1, 0), new(0, 1), new(ulong.MaxValue, 0), new(0, uint.MaxValue)];

        Assert.All(all, fingerprint => Assert.True(set.Add(fingerprint)));
        Assert.All(all, fingerprint => Assert.False(set.Add(fingerprint)));
    }

    [Fact]
    public void A_fingerprint_is_the_same_after_it_was_written_down()
    {
        var fingerprint = Fingerprint.Of("96fd7318-a055-496c-9e15-de72c7e84707"u8);
        var bytes = new byte[Fingerprint.Length];
        fingerprint.Write(bytes);

        Assert.Equal(fingerprint, Fingerprint.Read(bytes));
        Assert.NotEqual(fingerprint, Fingerprint.Of("96fd7318-a055-496c-9e15-de72c7e84708"u8));
    }
}
