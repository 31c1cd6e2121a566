using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Sandbox.Users;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace BasiqFunctions.Tests.Sandbox;

/// <summary>
/// The sandbox on a free port, its clock in the test's hand. Every answer that passes through <see cref="Http"/> is held
/// against Basiq's OpenAPI, where that is at hand.
/// </summary>
internal sealed class SandboxHost : IAsyncDisposable
{
    public static readonly DateTimeOffset Start = new(2026, 3, 16, 9, 30, 0, TimeSpan.Zero);

    private readonly WebApplication _app;

    private SandboxHost(WebApplication app, FakeTimeProvider clock)
    {
        _app = app;
        Clock = clock;
        BaseUrl = app.Urls.First();
        Http = new HttpClient(new ContractHandler(Seen)) { BaseAddress = new Uri(BaseUrl) };
        Bare = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new Uri(BaseUrl) };
    }

    public FakeTimeProvider Clock { get; }

    public string BaseUrl { get; }

    public HttpClient Http { get; }

    /// <summary>For what is no answer of Basiq's: held against nothing, and with no token unless a test gives it one.</summary>
    public HttpClient Bare { get; }

    /// <summary>Endpoint and status of every answer.</summary>
    public ConcurrentDictionary<string, int> Seen { get; } = new();

    public static async Task<SandboxHost> StartAsync(Action<SandboxOptions>? configure = null, FakeTimeProvider? clock = null)
    {
        clock ??= new FakeTimeProvider(Start);
        var app = SandboxApplication.Create([], builder =>
        {
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Services.AddSingleton<TimeProvider>(clock);
            if (configure is not null)
                builder.Services.Configure(configure);
        });
        await app.StartAsync();
        return new SandboxHost(app, clock);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        Bare.Dispose();
        await _app.DisposeAsync();
    }

    public Task<HttpResponseMessage> Token(string scope, string? userId = null, string key = SandboxOptions.DefaultApiKey, string? version = "3.0")
    {
        Dictionary<string, string> form = new() { ["scope"] = scope };
        if (userId is not null)
            form["userId"] = userId;
        var request = new HttpRequestMessage(HttpMethod.Post, "/token") { Content = new FormUrlEncodedContent(form) };
        request.Headers.TryAddWithoutValidation("Authorization", $"Basic {key}");
        if (version is not null)
            request.Headers.Add("basiq-version", version);
        return Http.SendAsync(request);
    }

    /// <summary>Mints a server token and sends it with every request from now on.</summary>
    public async Task<string> SignIn(string key = SandboxOptions.DefaultApiKey)
    {
        var token = await TextOf(Token("SERVER_ACCESS", key: key), "access_token");
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return token;
    }

    public async Task<string> ClientToken(string userId) => await TextOf(Token("CLIENT_ACCESS", userId), "access_token");

    public async Task<string> CreateUser(string email = "max@mail.example") =>
        await TextOf(Http.PostAsJsonAsync("/users", new { email }), "id");

    /// <summary>Posts the consent page's form for one bank; gives the answer, redirect not followed.</summary>
    public Task<HttpResponseMessage> PostConsent(string token, params (string Name, string Value)[] fields) => Http.PostAsync(
        "/home", new FormUrlEncodedContent([new("token", token), .. fields.Select(f => KeyValuePair.Create(f.Name, f.Value))]));

    /// <summary>Connects one bank through the consent page; gives the job.</summary>
    public async Task<string> Connect(string userId, string login = "richard", string institutionId = "AU00000")
    {
        var response = await PostConsent(
            await ClientToken(userId),
            ("institutionId", institutionId),
            ("loginId", login),
            ("password", TestUsers.Find(login)!.Password),
            ("finish", "1"));
        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
        return QueryOf(response.Headers.Location!)["jobId"];
    }

    /// <summary>A user of a new host with one bank whose job is done.</summary>
    public async Task<string> UserWithBank(string login = "richard")
    {
        if (Http.DefaultRequestHeaders.Authorization is null)
            await SignIn();
        var userId = await CreateUser();
        await Connect(userId, login);
        Clock.Advance(TimeSpan.FromSeconds(6));
        return userId;
    }

    public async Task<JsonElement> Get(string url)
    {
        using var response = await Http.GetAsync(url);
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"GET {url}: {response.StatusCode} {body}");
        return JsonDocument.Parse(body).RootElement;
    }

    public async Task<JsonElement> Send(HttpMethod method, string url, HttpStatusCode expected, object? body = null)
    {
        using var request = new HttpRequestMessage(method, url);
        if (body is not null)
            request.Content = JsonContent.Create(body);
        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{method} {url}: {response.StatusCode} {text}");
        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
    }

    public async Task<JsonElement> Error(HttpMethod method, string url, HttpStatusCode expected, object? body = null)
    {
        var answer = await Send(method, url, expected, body);
        return answer.GetProperty("data")[0];
    }

    public async Task SetOptions(object change) => await Send(HttpMethod.Patch, "/_sandbox/options", HttpStatusCode.OK, change);

    public async Task<JsonElement[]> Accounts(string userId) =>
        [.. (await Get($"/users/{userId}/accounts")).GetProperty("data").EnumerateArray()];

    /// <summary>Reads all pages.</summary>
    public async Task<List<JsonElement>> Transactions(string userId, string query = "")
    {
        List<JsonElement> all = [];
        string? url = $"/users/{userId}/transactions{query}";
        while (url is not null)
        {
            var page = await Get(url);
            Assert.Equal(page.GetProperty("count").GetInt32(), page.GetProperty("data").GetArrayLength());
            all.AddRange(page.GetProperty("data").EnumerateArray());
            url = page.GetProperty("links").TryGetProperty("next", out var next) ? next.GetString() : null;
        }

        return all;
    }

    public static Dictionary<string, string> QueryOf(Uri url) => Microsoft.AspNetCore.WebUtilities.QueryHelpers
        .ParseQuery(url.Query).ToDictionary(p => p.Key, p => p.Value.ToString());

    private static async Task<string> TextOf(Task<HttpResponseMessage> request, string property)
    {
        using var response = await request;
        response.EnsureSuccessStatusCode();
        using var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        return body.RootElement.GetProperty(property).GetString()!;
    }

    private sealed class ContractHandler(ConcurrentDictionary<string, int> seen)
        : DelegatingHandler(new SocketsHttpHandler { AllowAutoRedirect = false })
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            var path = request.RequestUri!.AbsolutePath;
            if (OpenApiContract.Instance is not { } contract || contract.TemplateOf(path) is not { } template)
                return response;
            var method = request.Method.Method;
            if (method == "OPTIONS")
                return response;
            await response.Content.LoadIntoBufferAsync(cancellationToken);
            var body = await response.Content.ReadAsStringAsync(cancellationToken);

            // Of a PDF the description says what its JSON is.
            if (response.Content.Headers.ContentType?.MediaType is not "application/pdf")
                Assert.Empty(await contract.Check(method, template, response.StatusCode, body));
            seen.AddOrUpdate($"{method} {template} {(int)response.StatusCode}", 1, (_, n) => n + 1);
            return response;
        }
    }
}
