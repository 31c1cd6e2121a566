using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using BasiqFunctions.Tests.Hosting;
using Microsoft.OpenApi;

namespace BasiqFunctions.Tests.Platform.OpenApi;

/// <summary>The description of the API is made from the code, is what is served, and is true.</summary>
[Trait("Category", "Journeys")]
public sealed partial class OpenApiTests
{
    private const string Update = "UPDATE_OPENAPI";

    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static string Path => System.IO.Path.Combine(Repository.Root, "BasiqFunctions/Platform/OpenApi/openapi.json");

    [Fact]
    public void The_file_is_what_the_functions_say()
    {
        var document = DocumentWriter.Write().ToJsonString(Readable) + "\n";
        if (Environment.GetEnvironmentVariable(Update) == "1")
            File.WriteAllText(Path, document);
        Assert.True(
            File.ReadAllText(Path) == document,
            $"The functions have changed. Make the file anew: {Update}=1 dotnet test --filter {nameof(OpenApiTests)}, then build.");
    }

    [Fact]
    public async Task The_file_is_what_is_served()
    {
        await using var app = await AppUnderTest.StartAsync();

        var served = await app.Api.GetStringAsync("openapi.json");

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(served), DocumentWriter.Write()));
    }

    [Fact]
    public void It_is_valid_OpenAPI_3_1()
    {
        var read = OpenApiDocument.Parse(DocumentWriter.Write().ToJsonString(), "json");

        Assert.NotNull(read.Diagnostic);
        Assert.Empty(read.Diagnostic.Errors);
        Assert.Empty(read.Diagnostic.Warnings);
        Assert.Equal(OpenApiSpecVersion.OpenApi3_1, read.Diagnostic.SpecificationVersion);
        Assert.Equal(DocumentWriter.Functions.Count(), read.Document!.Paths.Sum(p => p.Value.Operations!.Count));
    }

    /// <summary>In examples.json, where the order is that of the document.</summary>
    [Fact]
    public void Each_function_has_its_place_and_what_it_takes_and_gives_an_example()
    {
        Assert.Equal(DocumentWriter.Functions.Select(function => function.Name).Order(StringComparer.Ordinal), DocumentWriter.Placed.Order(StringComparer.Ordinal));
        Assert.Empty(
            from path in DocumentWriter.Write()["paths"]!.AsObject()
            from operation in path.Value!.AsObject()
            let taken = operation.Value!["requestBody"]?["content"]?["application/json"]
            let given = operation.Value["responses"]!.AsObject().Select(answer => answer.Value!["content"]?["application/json"]).FirstOrDefault(content => content is not null)
            from content in new[] { taken, given }
            where content is not null && content["example"] is null
            select $"{operation.Value["operationId"]}: {(content == taken ? "request" : "answer")}");
    }

    [Fact]
    public async Task Each_example_is_as_its_schema_has_it()
    {
        foreach (var (path, operations) in DocumentWriter.Write()["paths"]!.AsObject())
        {
            foreach (var (verb, operation) in operations!.AsObject())
            {
                var (status, described) = operation!["responses"]!.AsObject().First(answer => answer.Value!["content"]?["application/json"]?["example"] is not null || answer.Key[0] is '2');
                using var request = new HttpRequestMessage(new HttpMethod(verb.ToUpperInvariant()), $"http://localhost/api{Parameter().Replace(path, "x")}");
                if (operation["requestBody"]?["content"]?["application/json"]?["example"] is { } sent)
                    request.Content = JsonContent.Create(sent);
                using var response = new HttpResponseMessage((HttpStatusCode)int.Parse(status, null));
                foreach (var (name, _) in described!["headers"]?.AsObject() ?? [])
                    response.Headers.TryAddWithoutValidation(name, name is "Retry-After" ? "1" : "\"x\"");
                if (described["content"]?["application/json"]?["example"] is not { } answered)
                    continue;
                response.Content = JsonContent.Create(answered);
                await response.Content.LoadIntoBufferAsync();

                Assert.Empty(await OwnContract.CheckAsync(request, response));
            }
        }
    }

    [Fact]
    public async Task Each_operation_is_a_route_of_the_host()
    {
        await using var app = await AppUnderTest.StartAsync(["LocalHost:FunctionKey=key-of-this-test"]);
        foreach (var (path, operations) in DocumentWriter.Write()["paths"]!.AsObject())
        {
            foreach (var (verb, operation) in operations!.AsObject())
            {
                using var request = new HttpRequestMessage(
                    new HttpMethod(verb.ToUpperInvariant()), new Uri(Parameter().Replace(path, "x")[1..], UriKind.Relative));
                using var answer = await app.Api.SendAsync(request);
                var demandsKey = operation!["security"]!.AsArray().Count > 0;
                Assert.True(
                    demandsKey == (answer.StatusCode is HttpStatusCode.Unauthorized && !await IsOfTheFunctionAsync(answer)),
                    $"{verb} {path}: {answer.StatusCode}");
                Assert.NotEqual(HttpStatusCode.NotFound, answer.StatusCode);
                Assert.NotEqual(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
            }
        }
    }

    [Fact]
    public async Task A_field_that_is_not_described_is_refused()
    {
        await using var app = await AppUnderTest.StartAsync();
        var userId = await app.CreateUserAsync();
        foreach (var (path, operations) in DocumentWriter.Write()["paths"]!.AsObject())
        {
            foreach (var (verb, operation) in operations!.AsObject())
            {
                // Of a body that somebody else decides on, nothing is refused.
                if (operation!["requestBody"]?["content"]?["application/json"]?["schema"] is not { } schema
                    || JsonNode.DeepEquals(schema, new JsonObject { ["type"] = "object" }))
                    continue;
                using var request = new HttpRequestMessage(
                    new HttpMethod(verb.ToUpperInvariant()),
                    new Uri(Parameter().Replace(path.Replace("{userId}", userId, StringComparison.Ordinal), "x")[1..], UriKind.Relative))
                {
                    Content = JsonContent.Create(new { notAField = 1 }),
                };
                using var answer = await app.Api.SendAsync(request);
                var problem = await AppUnderTest.AssertProblemAsync(answer, HttpStatusCode.BadRequest, "invalid-input");
                Assert.True(problem.GetProperty("errors").TryGetProperty("notAField", out _), $"{verb} {path}: {problem}");
            }
        }
    }

    [Theory]
    [InlineData("{\"syncId\":\"s\",\"status\":\"completed\"}", "PropertyRequired")]
    [InlineData("{\"syncId\":5,\"status\":\"completed\",\"statusUrl\":\"u\"}", "StringExpected")]
    [InlineData("{\"syncId\":\"s\",\"status\":\"no-such-status\",\"statusUrl\":\"u\"}", "NotInEnumeration")]
    public async Task An_answer_that_differs_is_noticed(string body, string error)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost/api/users/u/syncs");
        using var response = new HttpResponseMessage(HttpStatusCode.Accepted)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        response.Headers.Location = new Uri("/api/users/u/syncs/s", UriKind.Relative);
        response.Headers.Add("Retry-After", "2");

        Assert.Contains(error, Assert.Single(await OwnContract.CheckAsync(request, response)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(418, "application/problem+json", "{}", "not described")]
    [InlineData(404, "application/problem+json", "{\"title\":\"t\",\"status\":404,\"code\":\"no-snapshot\",\"detail\":\"d\"}", "the code no-snapshot is not described")]
    [InlineData(404, "text/html", "<p>", "content type")]
    public async Task A_problem_that_is_not_described_is_noticed(int status, string type, string body, string error)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://localhost/api/users/u/syncs/s");
        using var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, type) };

        Assert.Contains(error, Assert.Single(await OwnContract.CheckAsync(request, response)), StringComparison.Ordinal);
    }

    /// <summary>A message that is not signed is refused by the function, and not for want of a key.</summary>
    private static async Task<bool> IsOfTheFunctionAsync(HttpResponseMessage answer) =>
        (await answer.Content.ReadAsStringAsync()).Contains("webhook-refused", StringComparison.Ordinal);

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Parameter();
}
