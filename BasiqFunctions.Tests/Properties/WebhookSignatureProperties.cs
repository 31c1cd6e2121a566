using System.Globalization;
using System.Text;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Webhooks;
using CsCheck;
using Microsoft.AspNetCore.Http;
using Sender = BasiqFunctions.Tests.Hosting.Webhooks;

namespace BasiqFunctions.Tests.Properties;

[Trait("Category", "Unit")]
[Collection(PropertyTests.Collection)]
public sealed class WebhookSignatureProperties
{
    // Standard Webhooks' published example.
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string Id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private const string Timestamp = "1614265330";
    private const string Body = """{"test": 2432232314}""";
    private const string Signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    private static readonly DateTimeOffset SentAt = DateTimeOffset.FromUnixTimeSeconds(1614265330);

    [Fact]
    public void The_published_example_is_taken() => Assert.True(IsTaken(Id, Timestamp, Encoding.UTF8.GetBytes(Body), Signature, [Secret]));

    [Theory]
    [InlineData(0, true)]
    [InlineData(300, true)]
    [InlineData(-300, true)]
    [InlineData(301, false)]
    [InlineData(-301, false)]
    public void A_message_may_be_five_minutes_off_either_way(int seconds, bool isTaken) =>
        Assert.Equal(
            isTaken, IsTaken(Id, Timestamp, Encoding.UTF8.GetBytes(Body), Signature, [Secret], SentAt + TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void One_of_several_signatures_by_one_of_several_secrets_is_enough()
    {
        var body = Encoding.UTF8.GetBytes(Body);
        const string Other = "whsec_b3RoZXIgc2VjcmV0IG9mIHRoaXMgdGVzdA==";
        Assert.True(IsTaken(Id, Timestamp, body, $"v1a,AAAA {Sender.Sign(Other, Id, Timestamp, Body)} {Signature}", [Secret]));
        Assert.True(IsTaken(Id, Timestamp, body, Signature, [Other, Secret]));
        Assert.False(IsTaken(Id, Timestamp, body, Signature, [Other]));
        Assert.False(IsTaken(Id, Timestamp, body, Signature, []));
        Assert.False(IsTaken(Id, Timestamp, body, "v2" + Signature[2..], [Secret]));
    }

    [Fact]
    public void Every_change_of_a_single_bit_of_the_example_is_refused()
    {
        foreach (var part in Enumerable.Range(0, 4))
            AssertNoBitMayChange(Id, Timestamp, Encoding.UTF8.GetBytes(Body), Signature, Secret, part, all: true);
    }

    [Fact]
    public void Every_change_of_a_single_bit_of_any_message_is_refused() =>
        Gen.Select(Gen.String[Gen.Char["abcXYZ019_-."], 1, 64], Gen.Byte.Array[0, 300], Gen.Byte.Array[16, 64], Gen.Int[0, 3]).Sample(
            (id, body, key, part) =>
            {
                var secret = "whsec_" + Convert.ToBase64String(key);
                var signed = "v1," + Convert.ToBase64String(System.Security.Cryptography.HMACSHA256.HashData(
                    key, (byte[])[.. Encoding.ASCII.GetBytes($"{id}.{Timestamp}."), .. body]));
                Assert.True(IsTaken(id, Timestamp, body, signed, [secret]));
                AssertNoBitMayChange(id, Timestamp, body, signed, secret, part, all: false);
            },
            iter: 200);

    private static void AssertNoBitMayChange(string id, string timestamp, byte[] body, string signature, string secret, int part, bool all)
    {
        byte[][] parts = [Encoding.ASCII.GetBytes(id), Encoding.ASCII.GetBytes(timestamp), body, Encoding.ASCII.GetBytes(signature)];
        var bits = parts[part].Length * 8;
        for (var bit = 0; bit < bits; bit += all ? 1 : 5)
        {
            byte[][] changed = [.. parts.Select(p => p.ToArray())];
            changed[part][bit / 8] ^= (byte)(1 << (bit % 8));
            var text = changed.Select(Encoding.Latin1.GetString).ToArray();
            Assert.False(
                IsTaken(text[0], text[1], changed[2], text[3], [secret]),
                string.Create(CultureInfo.InvariantCulture, $"Bit {bit} of part {part} was changed, and the message was taken."));
        }
    }

    private static bool IsTaken(string id, string timestamp, byte[] body, string signatures, string[] secrets, DateTimeOffset? now = null)
    {
        var headers = new HeaderDictionary
        {
            ["webhook-id"] = id,
            ["webhook-timestamp"] = timestamp,
            ["webhook-signature"] = signatures,
        };
        return WebhookSignature.Read(headers) is { } signature
            && signature.IsCurrent(now ?? SentAt)
            && signature.IsOf(body, [.. secrets.Select(s => StandardWebhooks.KeyOf(s)!)]);
    }
}
