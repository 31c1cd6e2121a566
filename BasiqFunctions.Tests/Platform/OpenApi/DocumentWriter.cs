using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Platform.OpenApi;
using BasiqFunctions.Tests.Hosting;
using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.Tests.Platform.OpenApi;

/// <summary>
/// Makes the OpenAPI 3.1 document of the app from its functions: routes and keys from their triggers, bodies from their types and
/// validators, words from their documentation comments.
/// </summary>
internal sealed partial class DocumentWriter
{
    /// <summary>The codes of an answer, for programs; its description explains them.</summary>
    internal const string Codes = "x-codes";

    private const string ProblemType = "application/problem+json";
    private const string JsonType = "application/json";

    private static readonly string[] Always = [ProblemCodes.InternalError, ProblemCodes.DependencyUnavailable, ProblemCodes.Timeout];

    private static readonly string[] OfBodies =
        [ProblemCodes.InvalidInput, ProblemCodes.BodyTimeout, ProblemCodes.BodyTooLarge, ProblemCodes.UnsupportedMediaType];

    private static readonly string[] OfBasiq =
    [
        ProblemCodes.InvalidInput, ProblemCodes.BasiqOverloaded, ProblemCodes.BasiqRefused, ProblemCodes.BasiqUnusableAnswer,
        ProblemCodes.BasiqUnavailable, ProblemCodes.BasiqTimeout,
    ];

    private static readonly string[] OfIdempotencyKeys =
        [ProblemCodes.InvalidInput, ProblemCodes.IdempotencyKeyInUse, ProblemCodes.IdempotencyKeyReused];

    /// <summary>The folders of the functions, in the order in which somebody who builds on the API meets them.</summary>
    private static readonly (string Name, string Description)[] Tags =
    [
        ("Users", "Creating, reading, changing and deleting a person."),
        ("Consents", "The consent link and the way back from it, client tokens, what a person has consented to, and revoking it."),
        ("Sync", "Following the bank's jobs until accounts and transactions are fetched."),
        ("Data", "Accounts and transactions as they were last fetched, what changed since, and files of them."),
        ("Connections", "A person's banks, and the banks that there are."),
        ("Reports", "What a lender asks for: reports, statements, identities."),
        ("Notifications", "How the team's own backend is told what happens."),
        ("Webhooks", "How Basiq tells this app what happens."),
        ("Removal", "How data goes: receipts, and removals that wait for somebody's word."),
        ("Platform", "Health, and this description."),
    ];

    private static readonly Dictionary<string, string> Headers = new()
    {
        ["ETag"] = "What tells the answer from those before and after it, for If-None-Match.",
        ["Location"] = "Where to go, or to ask, next.",
        ["Retry-After"] = "When to ask again, in seconds.",
    };

    /// <summary>Of each function, in the order in which it is met among those of its folder.</summary>
    private static readonly JsonObject Examples =
        JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "BasiqFunctions.Tests/Platform/OpenApi/examples.json")))!.AsObject();

    private readonly XmlDocumentation _documentation = new(typeof(BasiqFunctionsRegistration).Assembly);
    private readonly SchemaWriter _schemas;
    private readonly Dictionary<string, (int[] Statuses, string Meaning)> _codes;

    private DocumentWriter()
    {
        _schemas = new SchemaWriter(_documentation);
        _codes = typeof(ProblemCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
            .ToDictionary(f => (string)f.GetRawConstantValue()!, CodeOf);
    }

    /// <summary>The functions that answer HTTP requests, in the order of the tags.</summary>
    public static IEnumerable<(MethodInfo Method, string Name, HttpTriggerAttribute Trigger)> Functions =>
        from type in typeof(BasiqFunctionsRegistration).Assembly.GetTypes()
        from method in type.GetMethods()
        let function = method.GetCustomAttribute<FunctionAttribute>()
        where function is not null
        let trigger = method.GetParameters().Select(p => p.GetCustomAttribute<HttpTriggerAttribute>()).FirstOrDefault(t => t is not null)
        where trigger is not null
        orderby PlaceOf(method, function.Name)
        select (method, function.Name, trigger);

    /// <summary>The functions that have a place in the document, or an example.</summary>
    public static IEnumerable<string> Placed => Examples.Select(function => function.Key);

    public static JsonObject Write() => new DocumentWriter().Document();

    private static (int Tag, int Function) PlaceOf(MethodInfo method, string name) =>
        (Array.FindIndex(Tags, tag => tag.Name == TagOf(method)), Examples.IndexOf(name));

    /// <summary>The top folder in which a function stands.</summary>
    private static string TagOf(MethodInfo method) => method.DeclaringType!.Namespace!.Split('.')[1];

    private JsonObject Document()
    {
        var paths = new JsonObject();
        foreach (var (method, name, trigger) in Functions)
        {
            var path = $"/{trigger.Route}";
            paths[path] ??= new JsonObject();

            // HEAD goes with GET, as HTTP has it, and is no operation of its own.
            foreach (var verb in trigger.Methods!.Where(verb => verb is not "head"))
                paths[path]![verb] = Operation(method, name, trigger);
        }

        _schemas.Components["Problem"] = Problem();
        return new JsonObject
        {
            ["openapi"] = "3.1.1",
            ["info"] = new JsonObject
            {
                ["title"] = "BasiqFunctions",
                ["version"] = "1",
                ["description"] = "Takes a person from \"new user\" to \"bank accounts fetched\" through the Basiq API.",
                ["contact"] = new JsonObject { ["name"] = "The maintainers of BasiqFunctions" },
                ["license"] = new JsonObject { ["name"] = "MIT", ["identifier"] = "MIT" },
            },
            ["servers"] = new JsonArray(new JsonObject
            {
                ["url"] = "https://my-app.azurewebsites.net/api",
                ["description"] = "In Azure, by the name of your function app. LocalHost and Core Tools serve it at http://localhost:7071/api.",
            }),
            ["tags"] = new JsonArray([.. Tags.Select(tag => (JsonNode)new JsonObject { ["name"] = tag.Name, ["description"] = tag.Description })]),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = new JsonObject(_schemas.Components.OrderBy(c => c.Key, StringComparer.Ordinal)
                    .Select(c => KeyValuePair.Create(c.Key, c.Value?.DeepClone()))),
                ["securitySchemes"] = new JsonObject
                {
                    ["functionKey"] = new JsonObject
                    {
                        ["type"] = "apiKey",
                        ["in"] = "header",
                        ["name"] = "x-functions-key",
                        ["description"] = "A function key, in Azure always, under LocalHost when `LocalHost:FunctionKey` is set.",
                    },
                    ["adminKey"] = new JsonObject
                    {
                        ["type"] = "apiKey",
                        ["in"] = "header",
                        ["name"] = "x-functions-key",
                        ["description"] = "The host's master key, in Azure always, under LocalHost `LocalHost:AdminKey`.",
                    },
                },
            },
        };
    }

    private JsonObject Operation(MethodInfo method, string name, HttpTriggerAttribute trigger)
    {
        var words = _documentation.SummaryOf(method) ?? throw new InvalidOperationException($"{name} has no documentation.");
        var operation = new JsonObject
        {
            ["operationId"] = name,
            ["tags"] = new JsonArray(TagOf(method)),
            ["summary"] = End().Split(words)[0],
            ["description"] = words,
        };
        var parameters = Parameters(method, trigger);
        if (parameters.Count > 0)
            operation["parameters"] = parameters;
        if (method.GetCustomAttribute<TakesAttribute>() is { } takes)
        {
            operation["requestBody"] = new JsonObject
            {
                ["required"] = !takes.Optional,
                ["content"] = new JsonObject
                {
                    [JsonType] = new JsonObject
                    {
                        ["schema"] = takes.IsOpen ? new JsonObject { ["type"] = "object" } : _schemas.Of(takes, name),
                    },
                },
            };
            AddExample(operation["requestBody"]!["content"]![JsonType]!, name, "request");
        }

        operation["responses"] = Responses(method, name, trigger);
        if (operation["responses"]!.AsObject().Select(answer => answer.Value!["content"]?[JsonType]).FirstOrDefault(content => content is not null) is { } answered)
            AddExample(answered, name, "answer");
        operation["security"] = trigger.AuthLevel is AuthorizationLevel.Anonymous
            ? new JsonArray()
            : new JsonArray(new JsonObject
            {
                [trigger.AuthLevel is AuthorizationLevel.Admin ? "adminKey" : "functionKey"] = new JsonArray(),
            });
        return operation;
    }

    private static void AddExample(JsonNode content, string name, string part)
    {
        if (Examples[name]?[part]?.DeepClone() is { } example)
            content["example"] = example;
    }

    private JsonArray Parameters(MethodInfo method, HttpTriggerAttribute trigger)
    {
        var parameters = new JsonArray();
        foreach (Match match in RouteParameter().Matches(trigger.Route!))
        {
            parameters.Add(new JsonObject
            {
                ["name"] = match.Groups[1].Value,
                ["in"] = "path",
                ["required"] = true,
                ["schema"] = new JsonObject { ["type"] = "string", ["pattern"] = "^[A-Za-z0-9_-]{1,64}$" },
            });
        }

        foreach (var parameter in method.GetCustomAttributes<ParameterAttribute>())
        {
            var schema = _schemas.Of(parameter.Type);
            if (parameter.Maximum > 0)
                (schema["minimum"], schema["maximum"]) = (1, parameter.Maximum);
            parameters.Add(new JsonObject
            {
                ["name"] = parameter.Name,
                ["in"] = parameter.IsHeader ? "header" : "query",
                ["description"] = parameter.Description,
                ["required"] = parameter.Required,
                ["schema"] = schema,
            });
        }

        return parameters;
    }

    private JsonObject Responses(MethodInfo method, string name, HttpTriggerAttribute trigger)
    {
        var responses = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var answer in method.GetCustomAttributes<AnswersAttribute>())
        {
            if (responses.TryGetValue(Text(answer.Status), out var other) && other["content"] is { } types)
            {
                // The same in another form.
                types[answer.ContentType] = new JsonObject { ["schema"] = _schemas.Of(answer.Body!) };
                continue;
            }

            var response = responses[Text(answer.Status)] = new JsonObject
            {
                ["description"] = Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(answer.Status),
            };
            if (answer.Headers.Length > 0)
                response["headers"] = HeadersOf(answer.Headers);
            if (answer.Body is { } body)
                response["content"] = new JsonObject { [answer.ContentType] = new JsonObject { ["schema"] = _schemas.Of(body) } };
        }

        if (responses.Count == 0)
            throw new InvalidOperationException($"{name} does not say what it answers.");
        foreach (var (status, codes) in CodesOf(method, trigger)
            .SelectMany(code => _codes[code].Statuses.Select(status => (status, code)))
            .GroupBy(c => c.status, c => c.code, (status, codes) => (status, codes.ToArray())))
        {
            if (!responses.TryGetValue(Text(status), out var response))
                response = responses[Text(status)] = [];
            Add(response, status, codes);
        }

        if (trigger.AuthLevel is not AuthorizationLevel.Anonymous)
        {
            var key = trigger.AuthLevel is AuthorizationLevel.Admin ? "master key" : "function key";
            responses["401"] = new JsonObject
            {
                ["description"] = $"No {key}, or a wrong one. The Functions host answers it without a body.",
                ["content"] = new JsonObject { [ProblemType] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/Problem" } } },
            };
        }

        return new JsonObject(responses.Select(r => KeyValuePair.Create(r.Key, (JsonNode?)r.Value)));
    }

    private void Add(JsonObject response, int status, string[] codes)
    {
        response["description"] = string.Join(' ', codes.Select(Explained));
        if (status is 429 or 503 || codes.Contains(ProblemCodes.IdempotencyKeyInUse))
            response["headers"] = HeadersOf(["Retry-After"]);
        response["content"] ??= new JsonObject();
        response["content"]![ProblemType] = new JsonObject
        {
            ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/Problem" },
        };
        response[Codes] = new JsonArray([.. codes.Select(code => (JsonNode)code)]);
    }

    private static IEnumerable<string> CodesOf(MethodInfo method, HttpTriggerAttribute trigger)
    {
        var fails = method.GetCustomAttribute<FailsWithAttribute>();
        var parameters = method.GetCustomAttributes<ParameterAttribute>().ToArray();
        IEnumerable<string> codes = [.. fails?.Codes ?? [], .. Always];
        if (trigger.Route!.Contains('{', StringComparison.Ordinal) || parameters.Length > 0)
            codes = codes.Append(ProblemCodes.InvalidInput);
        if (fails is { AsksBasiq: true })
            codes = codes.Concat(OfBasiq);
        if (method.GetCustomAttribute<TakesAttribute>() is not null)
            codes = codes.Concat(OfBodies);
        if (parameters.Any(p => p.Name == IdempotencyKey.Header))
            codes = codes.Concat(OfIdempotencyKeys);
        return codes.Distinct().Order(StringComparer.Ordinal);
    }

    private string Explained(string code) => _codes[code].Meaning is { Length: > 0 } meaning ? $"`{code}`: {meaning}" : $"`{code}`.";

    private static JsonObject HeadersOf(IEnumerable<string> names) => new(names.Select(name => KeyValuePair.Create(
        name,
        (JsonNode?)new JsonObject
        {
            ["description"] = Headers[name],
            ["schema"] = new JsonObject { ["type"] = name is "Retry-After" ? "integer" : "string" },
        })));

    /// <summary>The statuses stand first in what is said of a code.</summary>
    private (int[] Statuses, string Meaning) CodeOf(FieldInfo code)
    {
        var match = Statuses().Match(_documentation.SummaryOf(code) ?? "");
        if (!match.Success)
            throw new InvalidOperationException($"What is said of {nameof(ProblemCodes)}.{code.Name} does not begin with its status.");
        return ([.. match.Groups[1].Captures.Select(c => int.Parse(c.Value, CultureInfo.InvariantCulture))], match.Groups[2].Value);
    }

    private JsonObject Problem() => new()
    {
        ["type"] = "object",
        ["description"] = "What went wrong (RFC 9457).",
        ["required"] = new JsonArray("title", "status", "code", "detail"),
        ["properties"] = new JsonObject
        {
            ["title"] = new JsonObject { ["type"] = "string" },
            ["status"] = new JsonObject { ["type"] = "integer" },
            ["code"] = new JsonObject { ["type"] = "string", ["description"] = $"Stays the same from version to version; new ones may come. Known: {string.Join(", ", _codes.Keys.Order(StringComparer.Ordinal).Select(code => $"`{code}`"))}." },
            ["detail"] = new JsonObject { ["type"] = "string", ["description"] = "For people.", ["x-ms-primary-error-message"] = true },
            ["errors"] = new JsonObject
            {
                ["type"] = "object",
                ["description"] = "What is wrong, by field.",
                ["additionalProperties"] = new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string" } },
            },
            ["correlationId"] = new JsonObject { ["type"] = "string", ["description"] = "Basiq's, for its support." },
        },
    };

    private static string Text(int status) => status.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex RouteParameter();

    [GeneratedRegex(@"[:.](?: |$)")]
    private static partial Regex End();

    [GeneratedRegex(@"^(\d{3})(?: or (?<1>\d{3}))*(?:\.$|[,:] )(?<2>.*)$")]
    private static partial Regex Statuses();
}
