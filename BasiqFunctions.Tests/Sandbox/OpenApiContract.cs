using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using NJsonSchema;
using NJsonSchema.Validation;

namespace BasiqFunctions.Tests.Sandbox;

/// <summary>Basiq's own OpenAPI descriptions, read from beside the repository, as a judge of the sandbox's answers.</summary>
internal sealed class OpenApiContract
{
    private const string Folder = "../shared/basiq";

    // What any operation may be answered, whether its own description lists it or not: a token that is missing or has expired, a scope
    // that does not suffice, overload, and faults. The notes say so of each.
    private static readonly int[] OfAnyOperation = [401, 403, 429, 500, 503];

    private readonly ConcurrentDictionary<(string Template, string Method, int Status), Task<JsonSchema>> _schemas = new();
    private readonly List<(JsonObject Document, string Template, JsonObject Operations)> _paths = [];

    private OpenApiContract(string folder)
    {
        foreach (var file in (string[])["openapi-core.json", "openapi-data.json", "openapi-webhooks.json", "openapi-identity.json", "openapi-reports.json"])
        {
            var document = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, file)))!.AsObject();
            foreach (var (template, operations) in document["paths"]!.AsObject())
                _paths.Add((document, template, operations!.AsObject()));
        }
    }

    /// <summary>Null where the descriptions are not beside the repository.</summary>
    public static OpenApiContract? Instance { get; } =
        Root is { } root && Path.Combine(root, Folder) is var folder && Directory.Exists(folder) ? new OpenApiContract(folder) : null;

    /// <summary>The folder of the repository.</summary>
    public static string? Root => Find();

    public static string WhyMissing => $"Basiq's OpenAPI files are not in {Folder} of the repository.";

    /// <summary>The path of the description that an URL path falls under; null when it has none.</summary>
    public string? TemplateOf(string path)
    {
        var segments = path.Split('/');
        string? found = null;
        foreach (var (_, template, _) in _paths)
        {
            var parts = template.Split('/');
            var matches = parts.Length == segments.Length && parts.Zip(segments).All(p => p.First.StartsWith('{') || p.First == p.Second);

            // A literal segment ("refresh") is a closer match than a parameter.
            if (matches && (found is null || found.Count(c => c == '{') > template.Count(c => c == '{')))
                found = template;
        }

        return found;
    }

    /// <summary>What is wrong with an answer, empty when nothing is.</summary>
    public async Task<IReadOnlyList<string>> Check(string method, string template, HttpStatusCode status, string body)
    {
        if (status == HttpStatusCode.NoContent)
            return body.Length == 0 ? [] : ["204 with a body"];
        if (method == "HEAD")
            return body.Length == 0 ? [] : ["HEAD with a body"];
        if (method == "POST" && template == "/notifications/messages/test" && status == HttpStatusCode.Created)
            return body.Length == 0 ? [] : ["a body that is not described"];
        if (!IsDescribed(template, method, (int)status))
            return [$"{method} {template} {(int)status}: not a status of this operation"];
        var schema = await _schemas.GetOrAdd((template, method, (int)status), k => Schema(k.Template, k.Method, k.Status));
        var errors = new JsonSchemaValidator().Validate(Sampled(body), schema);
        return
        [
            .. errors.Select(e => $"{method} {template} {(int)status}: {e.Kind} at {e.Path}"),
            .. (int)status >= 400 && !IsWholeError(body) ? [$"{method} {template} {(int)status}: an error that does not say what it is"] : Array.Empty<string>(),
        ];
    }

    /// <summary>Optional by the schemas, and there in every example: whoever meets an error reads them.</summary>
    private static bool IsWholeError(string body)
    {
        static bool Says(JsonNode? node) => !string.IsNullOrEmpty(node?.GetValue<string>());
        var error = JsonNode.Parse(body)!;
        return (string?)error["type"] == "list"
            && Says(error["correlationId"])
            && error["data"] is JsonArray { Count: > 0 } data
            && data.All(e => Says(e!["code"]) && Says(e["title"]) && Says(e["detail"]));
    }

    private bool IsDescribed(string template, string method, int status)
    {
        var responses = Responses(template, method, out _);
        return responses.ContainsKey(status.ToString("D", null))
            || OfAnyOperation.Contains(status)
            || (status == 200 && template.EndsWith("/refresh", StringComparison.Ordinal));
    }

    private JsonObject Responses(string template, string method, out JsonObject document)
    {
        (document, _, var operations) = _paths.First(p => p.Template == template && p.Operations.ContainsKey(method.ToLowerInvariant()));
        return operations[method.ToLowerInvariant()]!["responses"]!.AsObject();
    }

    /// <summary>Of a long list, items spread over it: they are all written by the same lines.</summary>
    private static string Sampled(string body)
    {
        const int Enough = 40;
        if (body.Length < 100_000 || JsonNode.Parse(body) is not JsonObject list || list["data"] is not JsonArray { Count: > Enough } items)
            return body;
        var step = (items.Count / Enough) + 1;
        list["data"] = new JsonArray([.. items.Where((_, i) => i % step == 0).Select(i => i?.DeepClone())]);
        return list.ToJsonString();
    }

    private static string? Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "BasiqFunctions.sln")))
                return folder.FullName;
        }

        return null;
    }

    private Task<JsonSchema> Schema(string template, string method, int status)
    {
        var responses = Responses(template, method, out var document);

        // 200 of a refresh is the job that already runs, in the shape of the 202. What an operation leaves out (401 of the data
        // endpoints, 429) has the shape it has elsewhere in the same API.
        var documented = responses[status == 200 && !responses.ContainsKey("200") ? "202" : status.ToString("D", null)];
        var schema = documented?["content"]?["application/json"]?["schema"]?.DeepClone() ?? document["components"]!["schemas"]![status switch
        {
            400 => "BadRequestError",
            401 => "UnauthorizedError",
            403 => "ForbiddenAccessError",
            404 => "NotFoundError",
            429 or 503 => "NotFoundError",
            _ => "InternalServerError",
        }]!.DeepClone();
        var root = new JsonObject { ["s"] = Adapt(Resolve(schema, document), "") };
        if (status is 429 or 503)
            root["s"]!["properties"]!["data"]!["items"]!["properties"]!["code"] = new JsonObject { ["type"] = "string" };
        return JsonSchema.FromJsonAsync(root["s"]!.ToJsonString());
    }

    /// <summary>Where the examples of the descriptions, or other parts of them, contradict their schemas.</summary>
    private static void Correct(JsonObject adapted, string name)
    {
        switch (name)
        {
            // Of fifteen types of events the schema of a list knows six kinds and two entities.
            case "entity" or "eventType":
                adapted.Remove("enum");
                break;

            // A step that the example of a job has.
            case "title" when adapted["enum"] is JsonArray titles:
                titles.Add("mfa-challenge");
                break;

            // What an event is about, and attempts to deliver a message: texts by the schemas, objects in the examples.
            case "data" when (string?)adapted["type"] == "string":
                adapted["type"] = "object";
                break;
            case "attempts" when adapted["items"] is JsonObject attempt:
                attempt["type"] = "object";
                break;
        }
    }

    private static JsonNode Resolve(JsonNode node, JsonObject document)
    {
        switch (node)
        {
            case JsonObject o when o["$ref"] is JsonValue reference:
                JsonNode target = document;
                foreach (var part in reference.GetValue<string>().Split('/').Skip(1))
                    target = target[part]!;
                return Resolve(target.DeepClone(), document);
            case JsonObject o:
                return new JsonObject(o.Select(p => KeyValuePair.Create(p.Key, p.Value is null ? null : (JsonNode?)Resolve(p.Value.DeepClone(), document))));
            case JsonArray a:
                return new JsonArray([.. a.Select(i => i is null ? null : Resolve(i.DeepClone(), document))]);
            default:
                return node.DeepClone();
        }
    }

    /// <summary>OpenAPI 3.0 to JSON Schema, with what the descriptions say in words but not in their schemas.</summary>
    private static JsonObject Adapt(JsonNode node, string name)
    {
        var schema = node.AsObject();
        var adapted = new JsonObject();
        var description = schema["description"]?.ToString() ?? "";
        foreach (var keyword in (string[])["type", "required", "format", "enum", "additionalProperties", "minimum", "maximum", "pattern"])
        {
            if (schema[keyword] is { } value)
                adapted[keyword] = value.DeepClone();
        }

        if (schema["properties"] is JsonObject properties)
        {
            // An account's class is an object that has, of all things, an enum of texts: those of its type.
            if (adapted.Remove("enum", out var types) && properties["type"] is JsonObject type)
                type["enum"] = types;
            adapted["properties"] = new JsonObject(properties.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)Adapt(p.Value!, p.Key))));
            if (name == "result" && adapted["properties"]!["code"] is JsonObject code)
            {
                // "authorization-failed", of the description's own example of a failed job, is not among the codes listed.
                code.Remove("enum");
            }
        }

        if (schema["items"] is { } items)
            adapted["items"] = Adapt(items, name);
        Correct(adapted, name);

        // The kinds of job overlap: a job is often several of them.
        foreach (var keyword in (string[])["oneOf", "anyOf"])
        {
            if (schema[keyword] is JsonArray choices)
                adapted["anyOf"] = new JsonArray([.. choices.Select(c => Adapt(c!, name))]);
        }

        if (schema["allOf"] is JsonArray all)
            adapted["allOf"] = new JsonArray([.. all.Select(c => Adapt(c!, name))]);
        if (description.Contains("or empty", StringComparison.OrdinalIgnoreCase))
            adapted.Remove("format");
        var mayBeNull = (bool?)schema["nullable"] == true
            || description.Contains("or null", StringComparison.OrdinalIgnoreCase)
            || description.Contains("value is null", StringComparison.OrdinalIgnoreCase)
            || name == "result";
        if (mayBeNull && adapted["type"] is JsonValue single)
            adapted["type"] = new JsonArray(single.DeepClone(), "null");
        return adapted;
    }
}
