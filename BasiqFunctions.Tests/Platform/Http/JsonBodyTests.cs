using System.Text;
using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Http;
using FluentValidation;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Tests.Platform.Http;

[Trait("Category", "Unit")]
public sealed class JsonBodyTests
{
    private static readonly string[] Body = ["body"];

    [Fact]
    public async Task A_body_is_read()
    {
        var result = await ReadAsync("""{"name":"n","jobIds":["a","b"],"inner":{"count":2}}""");
        Assert.True(result.Refusal is null);
        Assert.Equal("n", result.Value!.Name);
        Assert.Equal(["a", "b"], result.Value.JobIds!);
        Assert.Equal(2, result.Value.Inner!.Count);
    }

    [Theory]
    [InlineData("application/json; charset=utf-8", true)]
    [InlineData("APPLICATION/JSON", true)]
    [InlineData("application/merge-patch+json", true)]
    [InlineData("application/json; charset=utf-16", false)]
    [InlineData("text/plain", false)]
    [InlineData("application/x-www-form-urlencoded", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public async Task Only_JSON_in_UTF8_is_taken(string? contentType, bool taken)
    {
        var result = await ReadAsync("{}", contentType);
        Assert.Equal(taken, result.Refusal is null);
        if (!taken)
            Assert.Equal((415, "unsupported-media-type"), (result.Refusal!.Status, result.Refusal.Code));
    }

    [Fact]
    public async Task A_large_body_is_refused_without_being_read_on()
    {
        using var stream = new CountingStream(new string('x', 10_000_000));
        var request = Request(stream, "application/json");

        var result = await ReadAsync(request);

        Assert.Equal((413, "body-too-large"), (result.Refusal!.Status, result.Refusal.Code));
        Assert.InRange(stream.BytesRead, 1, JsonBody.MaxBytes + 1);
        request.ContentLength = 10_000_000;
        Assert.Equal(413, (await ReadAsync(request)).Refusal!.Status);
    }

    [Fact]
    public async Task The_largest_body_is_taken_and_one_byte_more_is_not()
    {
        var largest = "{}" + new string(' ', JsonBody.MaxBytes - 2);
        Assert.True((await ReadAsync(largest)).Refusal is null);
        Assert.Equal(413, (await ReadAsync(largest + " ")).Refusal!.Status);
    }

    [Theory]
    [InlineData("{\"name\":\"secret\"", 16)]
    [InlineData("{\n\"name\":secret}", 9)]
    [InlineData("{\"name\":\"a\"}}", 12)]
    [InlineData("{\"name\":\"a\",}", 12)]
    public async Task Malformed_JSON_is_refused_by_its_place_and_not_quoted(string text, int position)
    {
        var answer = await RefusedAsync(text);
        Assert.Equal(Body, answer.Fields);
        Assert.Contains($"breaks at byte {position}.", answer.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"a\"")]
    [InlineData("   ")]
    public async Task What_is_no_object_is_refused(string text) => Assert.Equal(Body, (await RefusedAsync(text)).Fields);

    [Fact]
    public async Task Deep_nesting_is_refused()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"inner\":", 20)) + "1" + new string('}', 20);
        Assert.Equal(Body, (await RefusedAsync(deep)).Fields);
        Assert.Equal(400, (await ReadAsync(new string('[', 60_000))).Refusal!.Status);
    }

    [Fact]
    public async Task Unknown_and_repeated_properties_are_named_at_every_level()
    {
        var answer = await RefusedAsync("""{"name":"a","Name":"b","email":1,"inner":{"count":1,"count":2,"extra":{}},"name":"c"}""");
        Assert.Equal(["Name", "email", "inner.count", "inner.extra", "name"], answer.Fields);
    }

    [Theory]
    [InlineData("{\"name\":5}", "name")]
    [InlineData("{\"jobIds\":\"a\"}", "jobIds")]
    [InlineData("{\"jobIds\":[1]}", "jobIds[0]")]
    [InlineData("{\"inner\":{\"count\":\"secret\"}}", "inner.count")]
    public async Task A_value_of_the_wrong_type_names_its_field(string text, string field)
    {
        var answer = await RefusedAsync(text);
        Assert.Equal([field], answer.Fields);
        Assert.DoesNotContain("secret", answer.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_read_and_what_is_against_the_rules_is_named_in_one_answer()
    {
        var answer = await RefusedAsync("""{"email":1,"jobIds":5,"inner":{"count":-1},"name":"much too long"}""");
        Assert.Equal(["email", "jobIds", "name", "inner.count"], answer.Fields);
    }

    [Fact]
    public async Task Text_that_is_not_Unicode_is_refused()
    {
        using var invalid = new MemoryStream([.. "{\"name\":\""u8, 0xC3, 0x28, .. "\"}"u8]);
        Assert.Equal(400, (await ReadAsync(Request(invalid, "application/json"))).Refusal!.Status);
        Assert.Equal(Body, (await RefusedAsync("{\"\\ud800\":1}")).Fields);
        Assert.Equal(["name"], (await RefusedAsync("{\"name\":\"\\ud800\"}")).Fields);
    }

    [Fact]
    public async Task An_optional_body_may_be_missing()
    {
        var result = await ReadAsync(Request(Stream.Null, null), optional: true);
        Assert.True(result.Refusal is null);
        Assert.Null(result.Value!.Name);
    }

    private static async Task<Answer> RefusedAsync(string text)
    {
        var result = await ReadAsync(text);
        Assert.False(result.Refusal is null);
        var answer = await Answer.OfAsync(result.Refusal!);
        Assert.Equal((400, "invalid-input"), (answer.Status, answer.Code));
        return answer;
    }

    private static async Task<(Sample? Value, ProblemResult? Refusal)> ReadAsync(string text, string? contentType = "application/json")
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return await ReadAsync(Request(stream, contentType));
    }

    private static async Task<(Sample? Value, ProblemResult? Refusal)> ReadAsync(HttpRequest request, bool optional = false)
    {
        try
        {
            return (await JsonBody.ReadAsync(request, new SampleValidator(), default, optional, type: SampleJson.Default.Sample), null);
        }
        catch (ProblemException e)
        {
            return (null, e.Problem);
        }
    }

    private static HttpRequest Request(Stream body, string? contentType)
    {
        var request = new DefaultHttpContext().Request;
        request.Body = body;
        request.ContentType = contentType;
        return request;
    }

    internal sealed record Sample(string? Name, IReadOnlyList<string>? JobIds, SampleInner? Inner);

    internal sealed record SampleInner(int Count);

    private sealed class SampleValidator : AbstractValidator<Sample>
    {
        public SampleValidator()
        {
            RuleFor(sample => sample.Name).MaximumLength(10);
            RuleFor(sample => sample.JobIds).NotNull().When(sample => sample.Inner is { Count: < 0 });
            RuleFor(sample => sample.Inner!.Count).GreaterThanOrEqualTo(0).When(sample => sample.Inner is not null);
        }
    }

    private sealed class CountingStream(string text) : MemoryStream(Encoding.ASCII.GetBytes(text))
    {
        public int BytesRead { get; private set; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await base.ReadAsync(buffer, cancellationToken);
            BytesRead += read;
            return read;
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, AllowDuplicateProperties = false, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(JsonBodyTests.Sample))]
internal sealed partial class SampleJson : JsonSerializerContext;
