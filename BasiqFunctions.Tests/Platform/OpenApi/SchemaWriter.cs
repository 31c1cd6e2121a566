using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Connections;
using BasiqFunctions.Data;
using BasiqFunctions.Data.Changes;
using BasiqFunctions.Platform.OpenApi;
using FluentValidation;
using FluentValidation.Internal;
using FluentValidation.Validators;

namespace BasiqFunctions.Tests.Platform.OpenApi;

/// <summary>
/// Writes types as JSON Schema (2020-12), as System.Text.Json writes their values. What is null is left out of every answer, so no
/// value is nullable. Objects become components, referred to by their type's name.
/// </summary>
internal sealed class SchemaWriter(XmlDocumentation documentation)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };

    private static readonly NullabilityInfoContext Nullability = new();

    public JsonObject Components { get; } = [];

    /// <summary>The schema of an answer's body.</summary>
    public JsonObject Of(Type type)
    {
        if (IsText(type))
            return new JsonObject { ["type"] = "string" };
        if (type == typeof(bool))
            return new JsonObject { ["type"] = "boolean" };
        if (type == typeof(int) || type == typeof(long))
            return new JsonObject { ["type"] = "integer" };
        if (type == typeof(DateTimeOffset))
            return new JsonObject { ["type"] = "string", ["format"] = "date-time" };
        if (type == typeof(DateOnly))
            return new JsonObject { ["type"] = "string", ["format"] = "date" };
        if (Nullable.GetUnderlyingType(type) is { } value)
            return Of(value);
        if (type.IsEnum)
            return Component(type.Name, () => EnumOf(type));
        if (type == typeof(JsonElement))
            return new JsonObject { ["type"] = "object", ["description"] = "As Basiq sent it." };
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>))
            return new JsonObject { ["type"] = "object", ["additionalProperties"] = Of(type.GetGenericArguments()[1]) };
        if (ElementOf(type) is { } element)
            return new JsonObject { ["type"] = "array", ["items"] = Of(element) };
        return Component(type.Name, () => Written(type) ?? (IsBasiqs(type) ? BasiqsOwn(type) : ObjectOf(type, null, [], [])));
    }

    /// <summary>The schema of a request's body: nothing but what is known may be in it.</summary>
    public JsonObject Of(TakesAttribute takes, string function) => Component($"{function}Request", () =>
    {
        var schema = Closed(ObjectOf(takes.Body, takes.Validator, takes.Required, takes.Fields));
        return takes.NullIsAbsent ? WithNulls(schema) : schema;
    });

    /// <summary>What is written by hand and has no type of its own.</summary>
    private JsonObject? Written(Type type)
    {
        if (type == typeof(AccountsResult))
        {
            var accounts = Object(
                type,
                ("syncId", Of(typeof(string))),
                ("fetchedAt", Of(typeof(DateTimeOffset))),
                ("fullAsOf", Of(typeof(DateTimeOffset))),
                ("accounts", Of(typeof(Account[]))));
            accounts["required"] = new JsonArray("syncId", "fetchedAt", "accounts");
            return accounts;
        }

        if (type == typeof(ConnectionState))
            return State(type);
        if (type == typeof(OpenApiDocument))
            return new JsonObject { ["type"] = "object", ["description"] = documentation.SummaryOf(type) };
        if (type == typeof(ChangesPageResult))
            return ChangesPage();
        if (type != typeof(TransactionsPageResult))
            return null;
        var page = Object(type, ("transactions", new JsonObject { ["type"] = "array", ["items"] = Transaction() }), ("fullAsOf", Of(typeof(DateTimeOffset))), ("nextCursor", Of(typeof(string))));
        page["required"] = new JsonArray("transactions");
        return page;
    }

    /// <summary>A connection as Basiq sent it, with what the app adds.</summary>
    private JsonObject State(Type type)
    {
        var schema = BasiqsOwn(typeof(Connection));
        foreach (var property in type.GetProperties().Where(p => p.DeclaringType == type && p.PropertyType != typeof(Connection) && p.GetMethod!.IsPublic))
        {
            var added = Of(property.PropertyType);
            added["description"] = documentation.SummaryOf(property);
            schema["properties"]![JsonNamingPolicy.CamelCase.ConvertName(property.Name)] = added;
        }

        schema["required"]!.AsArray().Add((JsonNode)"isStale");
        return schema;
    }

    private JsonObject ChangesPage()
    {
        var page = Object(
            typeof(ChangesPageResult),
            ("changes", new JsonObject { ["type"] = "array", ["items"] = Component("TransactionChange", () => ChangeOf("transaction", Transaction(), "transactionId")) }),
            ("accounts", new JsonObject { ["type"] = "array", ["items"] = Component("AccountChange", () => ChangeOf("account", Of(typeof(Account)))) }),
            ("nextCursor", Of(typeof(string))),
            ("hasMore", Of(typeof(bool))),
            ("dataAsOf", Of(typeof(DateTimeOffset))));
        page["required"] = new JsonArray("changes", "nextCursor", "hasMore", "dataAsOf");
        return page;
    }

    /// <summary>A change, which has what it is about unless that was removed.</summary>
    private JsonObject ChangeOf(string what, JsonObject schema, params string[] ids)
    {
        var properties = new JsonObject
        {
            ["type"] = Component("ChangeType", () => new JsonObject { ["type"] = "string", ["enum"] = new JsonArray("added", "modified", "removed") }),
            ["accountId"] = Of(typeof(string)),
        };
        foreach (var id in ids)
            properties[id] = Of(typeof(string));
        if (ids.Length > 0)
            properties["inferredFrom"] = new JsonObject { ["type"] = "string", ["description"] = "The id of the pending transaction that it was, where nothing else fits." };
        properties[what] = schema;
        return new JsonObject
        {
            ["type"] = "object",
            ["description"] = $"A change of {(what == "account" ? "an account" : "a transaction")}. What was removed has its ids alone.",
            ["required"] = new JsonArray([.. (string[])["type", "accountId", .. ids]]),
            ["properties"] = properties,
        };
    }

    private JsonObject Object(Type type, params (string Name, JsonObject Schema)[] properties) => new()
    {
        ["type"] = "object",
        ["description"] = documentation.SummaryOf(type),
        ["required"] = new JsonArray([.. properties.Select(p => (JsonNode)p.Name)]),
        ["properties"] = new JsonObject(properties.Select(p => KeyValuePair.Create(p.Name, (JsonNode?)p.Schema))),
    };

    /// <summary>A transaction, of which the app has no type: it hands on Basiq's bytes.</summary>
    private JsonObject Transaction() => Component("Transaction", () => AsBasiqSends("A transaction. Money is text, as Basiq sends it.", new JsonObject(
        new (string Name, string Description)[]
        {
            ("id", "Basiq's id."),
            ("status", "`pending` or `posted`."),
            ("description", "The bank's text."),
            ("amount", "Amount in `Currency`, negative for a debit."),
            ("balance", "Balance after it."),
            ("currency", "ISO 4217 code."),
            ("direction", "`debit` or `credit`."),
            ("class", "Such as `payment`, `transfer`."),
            ("postDate", "When it was posted, ISO 8601; empty or null while pending."),
            ("transactionDate", "When it was made, ISO 8601, if the bank says."),
            ("account", "The account."),
            ("connection", "The connection."),
            ("institution", "The bank."),
        }.Select(field => KeyValuePair.Create(field.Name, (JsonNode?)TextOrNull(field.Description)))
            .Append(KeyValuePair.Create("subClass", (JsonNode?)Part("What the money went for, by the ANZSIC classification.", ("code", "The class's number."), ("title", "Its name."))))
            .Append(KeyValuePair.Create("enrich", (JsonNode?)Part("What Basiq makes of the bank's text: merchant, category, location.", ("cleanDescription", "The text in plain words."))))
            .Append(Links()))));

    /// <summary>What stands in an account beside its texts.</summary>
    private static IEnumerable<KeyValuePair<string, JsonNode?>> PartsOfAccount() =>
    [
        KeyValuePair.Create("class", (JsonNode?)Part("What kind of account it is.", ("type", "Such as `transaction`, `savings`, `credit-card`, `mortgage`."), ("product", "What the bank calls it."))),
        KeyValuePair.Create("transactionIntervals", (JsonNode?)new JsonObject
        {
            ["type"] = new JsonArray("array", "null"),
            ["description"] = "Over which days the bank has given transactions.",
            ["items"] = Part("From one day to another.", ("from", "The first day."), ("to", "The last day.")),
        }),
        Links(),
    ];

    private static KeyValuePair<string, JsonNode?> Links() => KeyValuePair.Create("links", (JsonNode?)Part("Where it is at Basiq."));

    private static JsonObject Part(string description, params (string Name, string Description)[] texts) => new()
    {
        ["type"] = new JsonArray("object", "null"),
        ["description"] = description,
        ["properties"] = new JsonObject(texts.Select(text => KeyValuePair.Create(text.Name, (JsonNode?)TextOrNull(text.Description)))),
    };

    private static JsonObject TextOrNull(string? description) => new() { ["type"] = new JsonArray("string", "null"), ["description"] = description };

    private static JsonObject AsBasiqSends(string? description, JsonObject properties)
    {
        properties["id"]!["type"] = "string";
        return new JsonObject
        {
            ["type"] = "object",
            ["description"] = $"{description} As Basiq sent it: other members may be there.",
            ["required"] = new JsonArray("id"),
            ["properties"] = properties,
        };
    }

    private static bool IsBasiqs(Type type) =>
        type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IBasiqResource<>));

    /// <summary>What Basiq sent passes as it is: described by the texts that this app knows of it, open to more.</summary>
    private JsonObject BasiqsOwn(Type type)
    {
        var read = type.GetMethod("From", BindingFlags.Public | BindingFlags.Static)!;
        var properties = new JsonObject();
        foreach (var property in type.GetProperties().Where(p => IsText(p.PropertyType)))
        {
            var name = JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            name = name is "connectionId" or "institutionId" or "accountId" ? name[..^2] : name;

            // Whether it stands at the top and is called so is seen by reading one.
            var probe = JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["id"] = "id", [name] = "probe" });
            if (property.GetValue(read.Invoke(null, [probe]))?.ToString() is "probe")
                properties[name] = TextOrNull(documentation.SummaryOf(property));
        }

        foreach (var (name, schema) in type == typeof(Account) ? PartsOfAccount() : [])
            properties[name] = schema;
        return AsBasiqSends(documentation.SummaryOf(type), properties);
    }

    private JsonObject ObjectOf(Type type, Type? validator, string[] required, string[] fields)
    {
        var rules = validator is null ? null : RulesOf(validator);
        var properties = new JsonObject();
        var needed = new JsonArray();
        foreach (var member in Json.GetTypeInfo(type).Properties.Where(p => fields.Length == 0 || fields.Contains(p.Name)))
        {
            if (member.AttributeProvider is not PropertyInfo property || property.GetCustomAttribute<JsonIgnoreAttribute>() is { Condition: JsonIgnoreCondition.Always })
                continue;
            var schema = IsObject(property.PropertyType) && rules?.Inner(property.Name) is { } inner
                ? Component(property.PropertyType.Name, () => WithNulls(Closed(ObjectOf(property.PropertyType, inner, [], []))))
                : Of(property.PropertyType);
            if (documentation.SummaryOf(property) is { } summary)
                schema["description"] = string.Join(' ', [summary, .. rules?.MessagesOf(property.Name) ?? []]);
            if (rules?.PatternOf(property.Name) is { } pattern)
                schema["pattern"] = pattern;
            properties[member.Name] = schema;
            if (required.Contains(member.Name) || Nullability.Create(property).ReadState is NullabilityState.NotNull)
                needed.Add((JsonNode)member.Name);
        }

        var result = new JsonObject { ["type"] = "object" };
        if (documentation.SummaryOf(type) is { } description)
            result["description"] = description;
        if (needed.Count > 0)
            result["required"] = needed;
        result["properties"] = properties;
        return result;
    }

    private static JsonObject Closed(JsonObject schema)
    {
        schema["additionalProperties"] = false;
        return schema;
    }

    private static JsonObject WithNulls(JsonObject schema)
    {
        foreach (var property in schema["properties"]!.AsObject().Select(p => p.Value!))
        {
            if (property["type"] is JsonValue type)
                property["type"] = new JsonArray(type.DeepClone(), "null");
            if (property.AsObject().Remove("$ref", out var reference))
                property["anyOf"] = new JsonArray(new JsonObject { ["$ref"] = reference }, new JsonObject { ["type"] = "null" });
        }

        return schema;
    }

    /// <summary>An id is written as its text.</summary>
    private static bool IsText(Type type) => type == typeof(string) || type.IsSubclassOf(typeof(Id));

    private static bool IsObject(Type type) => !IsText(type) && type.IsClass && ElementOf(type) is null;

    private static JsonObject EnumOf(Type type)
    {
        var values = Enum.GetValues(type).Cast<object>().Select(value =>
            type.GetCustomAttribute<JsonConverterAttribute>() is null
                ? JsonNamingPolicy.CamelCase.ConvertName(value.ToString()!)
                : JsonSerializer.SerializeToElement(value, type, Json).GetString()!);
        return new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. values.Select(v => (JsonNode)v)]) };
    }

    private static Type? ElementOf(Type type)
    {
        if (type.IsArray)
            return type.GetElementType();
        return typeof(IEnumerable).IsAssignableFrom(type) && type.IsGenericType ? type.GetGenericArguments()[0] : null;
    }

    private JsonObject Component(string name, Func<JsonObject> write)
    {
        if (!Components.ContainsKey(name))
        {
            // Its place is taken first, since a type may hold itself.
            Components[name] = new JsonObject();
            Components[name] = write();
        }

        return new JsonObject { ["$ref"] = $"#/components/schemas/{name}" };
    }

    private static Rules RulesOf(Type validator) => new([.. AllOf(validator)]);

    private static IEnumerable<(string Property, IRuleComponent Component)> AllOf(Type validator)
    {
        var constructor = validator.GetConstructors()[0];
        var instance = (IValidator)constructor.Invoke(new object?[constructor.GetParameters().Length]);
        foreach (var rule in instance.CreateDescriptor().Rules)
        {
            foreach (var component in rule.Components)
            {
                if (rule is IIncludeRule)
                {
                    foreach (var included in AllOf(((IChildValidatorAdaptor)component.Validator).ValidatorType))
                        yield return included;
                }
                else
                {
                    yield return (rule.PropertyName, component);
                }
            }
        }
    }

    /// <summary>What a validator says of the fields.</summary>
    private sealed class Rules((string Property, IRuleComponent Component)[] all)
    {
        public Type? Inner(string property) => all
            .Where(r => r.Property == property)
            .Select(r => (r.Component.Validator as IChildValidatorAdaptor)?.ValidatorType)
            .FirstOrDefault(type => type is not null);

        public IEnumerable<string> MessagesOf(string property) => all
            .Where(r => r.Property == property && r.Component.Validator is not IChildValidatorAdaptor)
            .Select(r => $"It {r.Component.GetUnformattedErrorMessage()}");

        /// <summary>In the notation of ECMAScript.</summary>
        public string? PatternOf(string property) => all
            .Where(r => r.Property == property)
            .Select(r => (r.Component.Validator as IRegularExpressionValidator)?.Expression)
            .FirstOrDefault(pattern => pattern is not null)?
            .Replace(@"\A", "^", StringComparison.Ordinal).Replace(@"\z", "$", StringComparison.Ordinal);
    }
}
