using BasiqFunctions.Platform.Idempotency;
using Microsoft.Extensions.Primitives;

namespace BasiqFunctions.Tests.Platform.Idempotency;

[Trait("Category", "Unit")]
public sealed class IdempotencyKeyTests
{
    [Theory]
    [InlineData("\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", "8e03978e-40d5-43dd-bc93-6894a57f9324")]
    [InlineData("  order 7 ", "order 7")]
    [InlineData("\"a\\\"b\\\\c\"", "\"a\\\"b\\\\c\"")]
    public void A_key_is_the_same_with_and_without_quotation_marks(string one, string other) =>
        Assert.Equal(IdempotencyKey.Parse(one)!.Id, IdempotencyKey.Parse(other)!.Id);

    [Fact]
    public void Keys_that_differ_in_anything_have_other_records()
    {
        string[] keys = ["a", "A", "a b", "ab", "\"a\\\"\"", "\"a\\\\\"", new('a', 255), new('a', 254)];
        Assert.Equal(keys.Length, keys.Select(key => IdempotencyKey.Parse(key)!.Id).Distinct().Count());
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("\"\"")]
    [InlineData("\"open")]
    [InlineData("\"")]
    [InlineData("\"a\"b")]
    [InlineData("\"a\";p=1")]
    [InlineData("a\"b")]
    [InlineData("\"a\\b\"")]
    [InlineData("\"a\\")]
    [InlineData("schlüssel")]
    [InlineData("a\u0007b")]
    [InlineData("a\u007fb")]
    public void What_is_no_key_is_refused(string header) => Assert.Null(IdempotencyKey.Parse(header));

    [Fact]
    public void A_key_that_is_too_long_or_comes_twice_is_refused()
    {
        Assert.NotNull(IdempotencyKey.Parse(new string('k', 255)));
        Assert.Null(IdempotencyKey.Parse(new string('k', 256)));
        Assert.Null(IdempotencyKey.Parse(new StringValues(["a", "b"])));
        Assert.Null(IdempotencyKey.Parse(StringValues.Empty));
    }

    [Fact]
    public void A_record_s_name_and_fingerprint_do_not_give_the_key_or_the_body_away()
    {
        var key = IdempotencyKey.Parse("gavin@hooli.com")!;
        Assert.Matches("^[0-9a-f]{64}$", key.Id);
        Assert.Matches("^[0-9a-f]{64}$", key.FingerprintOf("POST users", "body"u8));

        // The same body under another key has another fingerprint: it cannot be found by trying bodies without the key.
        Assert.NotEqual(key.FingerprintOf("POST users", "body"u8), IdempotencyKey.Parse("other")!.FingerprintOf("POST users", "body"u8));
        Assert.NotEqual(key.FingerprintOf("POST users", "body"u8), key.FingerprintOf("POST users", "other"u8));
        Assert.NotEqual(key.FingerprintOf("POST users", "body"u8), key.FingerprintOf("POST users/u1/syncs", "body"u8));
    }
}
