using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text.Json.Nodes;
using NJsonSchema;
using NJsonSchema.Validation;

namespace BasiqFunctions.Tests.Platform.OpenApi;

/// <summary>
/// Holds what the app takes and answers against its own description: a handler for the tests' HTTP client, so that every test that
/// calls the app is a test of the description too.
/// </summary>
internal sealed class OwnContract(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private const string Prefix = "/api";
    private const int MostBytes = 200_000;

    /// <summary>A long answer is many items of one shape: the first of its operation is looked at, the others would cost a test most of its time.</summary>
    private const int LongBytes = 20_000;

    private static readonly ConcurrentDictionary<string, bool> LongAnswers = new();
    private static readonly JsonObject Document = DocumentWriter.Write();
    private static readonly ConcurrentDictionary<string, Task<JsonSchema>> Schemas = new();

    private static readonly (string[] Segments, JsonObject Operations)[] Paths =
        [.. Document["paths"]!.AsObject().Select(p => (p.Key.Split('/'), p.Value!.AsObject()))];

    /// <summary>What is wrong with an answer; empty when nothing is, or the description has no such operation.</summary>
    public static async Task<IReadOnlyList<string>> CheckAsync(HttpRequestMessage request, HttpResponseMessage response)
    {
        var path = request.RequestUri!.AbsolutePath;
        if (!path.StartsWith(Prefix + "/", StringComparison.Ordinal) || OperationOf(path[Prefix.Length..], request.Method) is not { } operation)
            return [];

        // LocalHost's own, for pages of other origins; no function gives it.
        if (response.StatusCode is HttpStatusCode.Forbidden)
            return [];
        var name = (string)operation["operationId"]!;
        var status = ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture);
        if (operation["responses"]![status] is not { } described)
            return [$"{name} answers {status}, which is not described."];
        List<string> errors = [];
        errors.AddRange((described["headers"]?.AsObject() ?? [])
            .Where(h => response.IsSuccessStatusCode && !response.Headers.Contains(h.Key))
            .Select(h => $"{name} {status}: no {h.Key}."));
        if (status is not "401" && response.Content.Headers.ContentLength is null or (> 0 and < MostBytes) && await IsWorthALookAsync($"{name} {status}", response.Content))
            errors.AddRange(await CheckAnswerAsync($"{name} {status}", described, response.Content));
        if (response.IsSuccessStatusCode && request.Content is { } body)
            errors.AddRange(await CheckRequestAsync(name, operation, body));
        return errors;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Content is not null)
            await request.Content.LoadIntoBufferAsync(cancellationToken);
        var response = await base.SendAsync(request, cancellationToken);
        var errors = await CheckAsync(request, response);
        return errors.Count == 0 ? response : throw new InvalidOperationException($"The description of the API is wrong: {string.Join(' ', errors)}");
    }

    private static async Task<bool> IsWorthALookAsync(string what, HttpContent content) =>
        (await content.ReadAsByteArrayAsync()).Length < LongBytes || LongAnswers.TryAdd(what, true);

    /// <summary>A literal segment is a closer match than a parameter.</summary>
    private static JsonObject? OperationOf(string path, HttpMethod method)
    {
        var segments = path.Split('/');
        return Paths
            .Where(p => p.Segments.Length == segments.Length
                && p.Segments.Zip(segments).All(s => s.First.StartsWith('{') ? s.Second.Length > 0 : s.First == s.Second))
            .OrderBy(p => p.Segments.Count(s => s.StartsWith('{')))
            .Select(p => p.Operations[method.Method.ToLowerInvariant()]?.AsObject())
            .FirstOrDefault(o => o is not null);
    }

    private static async Task<IEnumerable<string>> CheckAnswerAsync(string what, JsonNode declared, HttpContent content)
    {
        var body = await TextOfAsync(content);
        if (declared["content"] is not { } types)
            return body.Length == 0 ? [] : [$"{what}: a body, and none is described."];
        if (content.Headers.ContentType?.MediaType is not { } type || types[type]?["schema"] is not { } schema)
            return [$"{what}: content type {content.Headers.ContentType} is not described."];

        // Of a file no more is described than its type, and it is one of that.
        if (!type.EndsWith("json", StringComparison.Ordinal))
            return type is "application/pdf" && body.Length > 0 && !body.StartsWith("%PDF-", StringComparison.Ordinal) ? [$"{what}: no PDF."] : [];
        var errors = (await ValidateAsync(body, schema)).Select(e => $"{what}: {e}");
        return type is "application/problem+json" && declared[DocumentWriter.Codes] is JsonArray codes
            && JsonNode.Parse(body)?["code"]?.GetValue<string>() is var code && codes.All(known => (string)known! != code)
                ? errors.Append($"{what}: the code {code} is not described.")
                : errors;
    }

    private static async Task<string> TextOfAsync(HttpContent content)
    {
        if (!content.Headers.ContentEncoding.Contains("gzip"))
            return await content.ReadAsStringAsync();
        using var compressed = new MemoryStream(await content.ReadAsByteArrayAsync());
        using var text = new StreamReader(new GZipStream(compressed, CompressionMode.Decompress));
        return await text.ReadToEndAsync();
    }

    private static async Task<IEnumerable<string>> CheckRequestAsync(string what, JsonObject operation, HttpContent content)
    {
        var body = await content.ReadAsStringAsync();
        if (body.Length == 0)
            return [];
        return operation["requestBody"]?["content"]?["application/json"]?["schema"] is { } schema
            ? (await ValidateAsync(body, schema)).Select(e => $"{what} takes what is not described: {e}")
            : [$"{what} takes a body, and none is described."];
    }

    private static async Task<IEnumerable<string>> ValidateAsync(string body, JsonNode schema)
    {
        var text = schema.ToJsonString();
        var validated = await Schemas.GetOrAdd(text, _ => JsonSchema.FromJsonAsync(Resolve(schema).ToJsonString()));
        return new JsonSchemaValidator().Validate(body, validated).Select(e => $"{e.Kind} at {e.Path}");
    }

    private static JsonNode Find(string reference) =>
        reference.Split('/').Skip(1).Aggregate((JsonNode)Document, (node, part) => node[part]!);

    private static JsonNode Resolve(JsonNode node)
    {
        switch (node)
        {
            case JsonObject o when o["$ref"] is JsonValue reference:
                return Resolve(Find(reference.GetValue<string>()));
            case JsonObject o:
                return new JsonObject(o.Select(p => KeyValuePair.Create(p.Key, p.Value is null ? null : (JsonNode?)Resolve(p.Value))));
            case JsonArray a:
                return new JsonArray([.. a.Select(i => i is null ? null : Resolve(i))]);
            default:
                return node.DeepClone();
        }
    }
}
