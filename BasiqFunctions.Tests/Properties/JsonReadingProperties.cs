using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using BasiqFunctions.Basiq;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Tests.Basiq;
using CsCheck;

namespace BasiqFunctions.Tests.Properties;

/// <summary>Whatever Basiq answers, the client gives an object or a typed failure, and never another exception.</summary>
[Trait("Category", "Unit")]
[Collection(PropertyTests.Collection)]
public sealed class JsonReadingProperties
{
    private const int Depth = 3;

    private static readonly string[] Names =
    [
        "type", "id", "data", "links", "self", "next", "count", "size", "steps", "title", "status", "result", "code", "detail",
        "url", "accounts", "connection", "institution", "amount", "balance", "postDate", "expiryDate", "correlationId", "source",
        "jobs", "email", "access_token", "expires_in", "token_type", "accountNo", "class", "product", "x",
    ];

    private static readonly Gen<string> Text = Gen.OneOf(
        Gen.OneOf("job", "list", "user", "success", "in-progress", "1.00", "2026-01-01", "2026-01-01T00:00:00Z", "https://basiq.test/users/u/transactions?next=a", "https://other.test/", "/users/u", "", "//"),
        Gen.String[0, 6]).Select(text => JsonSerializer.Serialize(text));

    private static readonly Gen<string> Scalar = Gen.OneOf(
        Text,
        Gen.OneOf("null", "true", "false", "0", "-1", "3600", "1e999", "12345678901234567890", "0.1", "\"\\ud800\"", "\"\\u0000\""));

    private static readonly Gen<string> Value = Nested(Depth);

    // One of each kind that the client reads, as Basiq's documentation shows them, shortened.
    private static readonly string[] Documented =
    [
        """{"type":"user","id":"u","email":"a@b.example","mobile":"","name":"A B","connections":{"type":"list","count":1,"data":[{"type":"connection","id":"c"}]},"links":{"self":"https://basiq.test/users/u"}}""",
        """{"type":"job","id":"j","created":"2026-01-01T00:00:00Z","steps":[{"title":"verify-credentials","status":"failed","result":{"code":"x","title":"t","detail":"d"}},{"title":"retrieve-accounts","status":"success","result":{"type":"link","url":"/users/u/connections/c/accounts"}}],"links":{"self":"https://basiq.test/jobs/j","source":"https://basiq.test/users/u/connections/c"}}""",
        """{"type":"list","size":1,"data":[{"type":"job","id":"j","steps":[{"title":"t","status":"pending","result":null}],"links":{"self":"https://basiq.test/jobs/j"}}],"links":{"self":"https://basiq.test/users/u/jobs"}}""",
        """{"type":"list","data":[{"type":"connection","id":"c","status":"active","institution":{"type":"institution","id":"AU00000"},"accounts":{"data":[]},"links":{"self":"https://basiq.test/users/u/connections/c"}}]}""",
        """{"type":"list","data":[{"type":"account","id":"a","accountNo":"1","name":"n","currency":"AUD","balance":"1.00","availableFunds":"1.00","class":{"type":"savings","product":"p"},"connection":"c","institution":"AU00000","status":"available","links":{"self":"https://basiq.test/users/u/accounts/a"}}]}""",
        """{"type":"list","count":1,"size":1,"data":[{"type":"transaction","id":"t","status":"posted","amount":"-1.00","account":"a","connection":"c","postDate":"2026-01-01T00:00:00Z","transactionDate":"","links":{"self":"https://basiq.test/users/u/transactions/t"}}],"links":{"self":"https://basiq.test/users/u/transactions","next":"https://basiq.test/users/u/transactions?next=a"}}""",
        """{"type":"list","data":[{"type":"consent","id":"c","status":"active","created":"2026-01-01T00:00:00Z","expiryDate":"2027-01-01T00:00:00Z","purpose":{"primary":{"title":"t"}}}]}""",
        """{"access_token":"t","token_type":"Bearer","expires_in":3600}""",
        """{"type":"connection","id":"c","status":"active","institution":{"id":"AU00000"},"links":{}}""",
        """{"type":"account","id":"a","balance":null,"connection":"c","institution":"AU00000"}""",
        """{"type":"list","correlationId":"x","data":[{"type":"error","code":"c","title":"t","detail":"d","source":{"parameter":"p","pointer":"/p"}}]}""",
    ];

    /// <summary>A documented body with one value, anywhere in it, replaced or removed, or left as it is.</summary>
    private static readonly Gen<string> BasiqLike = Gen.Select(Gen.OneOf(Documented), Gen.Int[0, 1000], Gen.Int[0, 9], Value).Select(
        (json, at, what, value) =>
        {
            if (what == 0)
                return json;
            const string Place = "the one to replace";
            var root = JsonNode.Parse(json)!;
            JsonNode[] nodes = [.. Below(root)];
            var node = nodes[at % nodes.Length];
            if (node.Parent is JsonObject parent && what < 3)
                parent.Remove(node.GetPropertyName());
            else
                node.ReplaceWith(Place);
            return root.ToJsonString().Replace($"\"{Place}\"", value, StringComparison.Ordinal);
        });

    private static readonly Gen<byte[]> Body = Gen.OneOf(
        BasiqLike.Select(Encoding.UTF8.GetBytes),
        BasiqLike.Select(Encoding.UTF8.GetBytes),
        Value.Select(Encoding.UTF8.GetBytes),
        Gen.Select(BasiqLike, Gen.Int[0, 1000]).Select((json, at) => Encoding.UTF8.GetBytes(json)[..(at % (Encoding.UTF8.GetByteCount(json) + 1))]),
        Gen.Select(BasiqLike, Gen.Int[0, 1000], Gen.Byte).Select((json, at, with) =>
        {
            var bytes = Encoding.UTF8.GetBytes(json);
            if (bytes.Length > 0)
                bytes[at % bytes.Length] = with;
            return bytes;
        }),
        Gen.Byte.Array[0, 30]);

    [Fact]
    public async Task Any_answer_of_Basiq_gives_an_object_or_a_typed_failure()
    {
        await using var app = new ClientUnderTest(("Basiq:MaxRetries", "0"));
        var (read, failed) = (0, 0);
        var (client, body, status) = (app.Client, Array.Empty<byte>(), 200);
        app.Basiq.Answer = (_, _, _) => Task.FromResult(new HttpResponseMessage((System.Net.HttpStatusCode)status)
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } },
        });
        Func<Task>[] calls =
        [
            () => client.GetUserAsync(new("u")), () => client.GetJobAsync(new("j")), () => client.ListJobsAsync(new("u")),
            () => client.ListConnectionsAsync(new("u")), () => client.GetConnectionAsync(new("u"), new("c")), () => client.ListAccountsAsync(new("u")),
            () => client.GetAccountAsync(new("u"), new("a")), () => client.ListConsentsAsync(new("u")), () => client.CreateClientTokenAsync(new("u")),
            () => client.RefreshConnectionAsync(new("u"), new("c")), () => client.CreateUserAsync(new UserDetails { Email = "a@b.example" }),
            async () =>
            {
                using var page = await client.GetTransactionsPageAsync(new("u"));
            },
        ];
        await Gen.Select(Body, Gen.OneOf(200, 200, 200, 200, 400, 403, 404), Gen.Int[0, calls.Length - 1]).SampleAsync(
            async (bytes, code, call) =>
            {
                (body, status) = (bytes, code);
                try
                {
                    await calls[call]();
                    read++;
                }
                catch (BasiqException)
                {
                    failed++;
                }
            },
            iter: 2_000,
            threads: 1,
            print: sample => $"call {sample.Item3}, {sample.Item2}: {Convert.ToHexString(sample.Item1)} {Encoding.UTF8.GetString(sample.Item1)}");
        Assert.True(read > 100 && failed > 100, $"Only {read} answers were read and {failed} refused: the bodies are not like Basiq's.");
    }

    private static IEnumerable<JsonNode> Below(JsonNode node)
    {
        var children = node switch
        {
            JsonObject record => record.Select(p => p.Value),
            JsonArray list => list,
            _ => [],
        };
        return children.OfType<JsonNode>().SelectMany(child => Below(child).Prepend(child));
    }

    private static Gen<string> Nested(int depth)
    {
        if (depth == 0)
            return Scalar;
        var inner = Nested(depth - 1);
        var list = inner.Array[0, 4].Select(items => $"[{string.Join(',', items)}]");
        var record = Gen.Select(Gen.OneOf(Names), inner).Array[0, 8].Select(
            properties => $"{{{string.Join(',', properties.Select(p => $"\"{p.Item1}\":{p.Item2}"))}}}");
        return Gen.Frequency((1, Scalar), (2, list), (5, record));
    }
}
