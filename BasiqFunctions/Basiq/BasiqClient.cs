using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using BasiqFunctions.Basiq.Auth;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Polly.CircuitBreaker;
using Polly.RateLimiting;
using Polly.Timeout;

namespace BasiqFunctions.Basiq;

/// <inheritdoc />
internal sealed class BasiqClient(
    IHttpMessageHandlerFactory handlers,
    IOptions<BasiqOptions> options,
    TimeProvider timeProvider,
    Instruments instruments,
    ILogger<BasiqClient> logger,
    IHostApplicationLifetime? host = null)
    : IBasiqClient, IBasiqAddress, ITokenEndpoint
{
    /// <summary>Name of the one HTTP client and its pipeline.</summary>
    internal const string HttpClientName = "basiq";

    /// <summary>Verb and path template of a purge.</summary>
    internal const string TokenEndpoint = "POST /token";
    internal const string PurgeEndpoint = "POST /users/{userId}/connections/{connectionId}/purge";

    private const int MaxPageSize = 500;

    private readonly Uri _baseUri = new(options.Value.BaseUrl.TrimEnd('/') + '/');

    private readonly LogPace _refusals = new(timeProvider);

    private readonly CancellationToken _hostStopped = host?.ApplicationStopped ?? CancellationToken.None;

    // Made on first use: the handlers need the token provider, which needs this client.
    // An invoker, since all that an HttpClient would add (a base address, a time-out) is the pipeline's.
    private readonly Lazy<HttpMessageInvoker> _http =
        new(() => new HttpMessageInvoker(handlers.CreateHandler(HttpClientName), disposeHandler: false));

    public Task<User> CreateUserAsync(UserDetails details, CancellationToken cancellationToken = default) =>
        GetAsync(
            new("POST /users", "users", HttpMethod.Post) { Content = Json(details), IsRepeatable = false },
            BasiqJson.Default.User,
            cancellationToken);

    public Task<User> GetUserAsync(string userId, CancellationToken cancellationToken = default) =>
        GetAsync(new("GET /users/{userId}", $"users/{Id(userId)}"), BasiqJson.Default.User, cancellationToken);

    public Task<User> UpdateUserAsync(string userId, UserDetails details, CancellationToken cancellationToken = default) =>
        GetAsync(
            new("POST /users/{userId}", $"users/{Id(userId)}", HttpMethod.Post) { Content = Json(details) },
            BasiqJson.Default.User,
            cancellationToken);

    public Task DeleteUserAsync(string userId, CancellationToken cancellationToken = default) =>
        RemoveAsync(new("DELETE /users/{userId}", $"users/{Id(userId)}", HttpMethod.Delete), "user", userId, cancellationToken);

    public async Task<ClientToken> CreateClientTokenAsync(string userId, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(userId);
        return await MintAsync(
            $"scope=CLIENT_ACCESS&userId={Uri.EscapeDataString(userId)}",
            cancellation => GetUserAsync(userId, cancellation),
            cancellationToken);
    }

    public async Task<(string AccessToken, TimeSpan Lifetime)> MintServerTokenAsync(CancellationToken cancellationToken)
    {
        var token = await MintAsync("scope=SERVER_ACCESS", null, cancellationToken);
        return (token.AccessToken, TimeSpan.FromSeconds(token.ExpiresIn));
    }

    public Task<Job> GetJobAsync(string jobId, CancellationToken cancellationToken = default) =>
        GetAsync(new("GET /jobs/{jobId}", $"jobs/{Id(jobId)}"), BasiqJson.Default.Job, cancellationToken, job => job.Id == jobId);

    public async Task AnswerMfaAsync(
        string userId, string jobId, IReadOnlyList<string> answers, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(answers);
        var path = $"jobs/{Id(jobId)}/mfa";
        var token = await CreateClientTokenAsync(userId, cancellationToken);
        await CallAsync(
            new("POST /jobs/{jobId}/mfa", path, HttpMethod.Post)
            {
                Content = Json(new MfaResponse(answers), BasiqJson.Default.MfaResponse),
                Credential = BasiqCredential.ClientToken,
                ClientToken = token.AccessToken,
                IsRepeatable = false,
            },
            static (_, bytes) =>
            {
                using var document = JsonDocument.Parse(bytes);
                return document.RootElement.RequiredText("id");
            },
            cancellationToken);
    }

    public Task<AuthLink> CreateAuthLinkAsync(string userId, string? mobile, CancellationToken cancellationToken = default) =>
        GetAsync(
            new("POST /users/{userId}/auth_link", $"users/{Id(userId)}/auth_link", HttpMethod.Post)
            {
                Content = Json(new AuthLinkRequest(mobile), BasiqJson.Default.AuthLinkRequest),
            },
            BasiqJson.Default.AuthLink,
            cancellationToken,
            link => Uri.TryCreate(link.Links?.Public, UriKind.Absolute, out var target) && target.Scheme is "http" or "https");

    public async Task<IReadOnlyList<Job>> ListJobsAsync(string userId, CancellationToken cancellationToken = default)
    {
        var records = await ListRecordsAsync(new("GET /users/{userId}/jobs", $"users/{Id(userId)}/jobs"), cancellationToken);
        return [.. records.Select(Job.Read).OfType<Job>()];
    }

    public Task<IReadOnlyList<Connection>> ListConnectionsAsync(string userId, CancellationToken cancellationToken = default) =>
        ListAsync(
            new("GET /users/{userId}/connections", $"users/{Id(userId)}/connections"),
            BasiqJson.Default.BasiqListConnection,
            cancellationToken);

    public Task<Connection> GetConnectionAsync(
        string userId, string connectionId, CancellationToken cancellationToken = default) =>
        GetAsync(
            new("GET /users/{userId}/connections/{connectionId}", $"users/{Id(userId)}/connections/{Id(connectionId)}"),
            BasiqJson.Default.Connection,
            cancellationToken);

    public Task DeleteConnectionAsync(string userId, string connectionId, CancellationToken cancellationToken = default) =>
        RemoveAsync(
            new(
                "DELETE /users/{userId}/connections/{connectionId}",
                $"users/{Id(userId)}/connections/{Id(connectionId)}",
                HttpMethod.Delete),
            "connection",
            connectionId,
            cancellationToken);

    public Task PurgeConnectionAsync(string userId, string connectionId, CancellationToken cancellationToken = default) =>
        RemoveAsync(
            new(PurgeEndpoint, $"users/{Id(userId)}/connections/{Id(connectionId)}/purge", HttpMethod.Post),
            "connection",
            connectionId,
            cancellationToken);

    public Task<IReadOnlyList<string>> RefreshConnectionsAsync(string userId, CancellationToken cancellationToken = default) =>
        RefreshAsync(
            new("POST /users/{userId}/connections/refresh", $"users/{Id(userId)}/connections/refresh", HttpMethod.Post),
            cancellationToken);

    public Task<IReadOnlyList<string>> RefreshConnectionAsync(
        string userId, string connectionId, CancellationToken cancellationToken = default) =>
        RefreshAsync(
            new(
                "POST /users/{userId}/connections/{connectionId}/refresh",
                $"users/{Id(userId)}/connections/{Id(connectionId)}/refresh",
                HttpMethod.Post),
            cancellationToken);

    public Task<IReadOnlyList<Consent>> ListConsentsAsync(string userId, CancellationToken cancellationToken = default) =>
        ListAsync(
            new("GET /users/{userId}/consents", $"users/{Id(userId)}/consents"),
            BasiqJson.Default.BasiqListConsent,
            cancellationToken);

    public Task DeleteConsentAsync(string userId, string consentId, CancellationToken cancellationToken = default) =>
        RemoveAsync(
            new("DELETE /users/{userId}/consents/{consentId}", $"users/{Id(userId)}/consents/{Id(consentId)}", HttpMethod.Delete),
            "consent",
            consentId,
            cancellationToken);

    public Task<BasiqEvent> GetEventAsync(string eventId, CancellationToken cancellationToken = default) =>
        GetAsync(new("GET /events/{id}", $"events/{Id(eventId)}"), BasiqJson.Default.BasiqEvent, cancellationToken);

    public Task<BasiqEventsPage> ListEventsAsync(
        BasiqFilter? filter = null, string? nextLink = null, CancellationToken cancellationToken = default)
    {
        var request = new Request("GET /events", nextLink ?? (filter is null ? "events" : $"events?filter={filter.ToQueryValue()}"));
        if (nextLink is not null && !LeadsToBasiq(nextLink))
            throw Failure(new(BasiqFailureKind.UnusableAnswer, BasiqFailure.ForeignLinkCode) { Endpoint = request.Endpoint });
        return CallAsync(
            request,
            (_, bytes) =>
            {
                var list = JsonSerializer.Deserialize(bytes.Span, BasiqJson.Default.BasiqListBasiqEvent);
                using var document = JsonDocument.Parse(bytes);
                return list is { Data: { } data } && data.All(item => item is not null)
                    ? new BasiqEventsPage([.. data.OfType<BasiqEvent>()], document.RootElement.Text("links", "next"))
                    : throw new JsonException("Something is missing that belongs there.");
            },
            cancellationToken);
    }

    public Task<IReadOnlyList<Webhook>> ListWebhooksAsync(CancellationToken cancellationToken = default) =>
        ListAsync(new("GET /notifications/webhooks", "notifications/webhooks"), BasiqJson.Default.BasiqListWebhook, cancellationToken);

    public Task<Webhook> CreateWebhookAsync(string url, IReadOnlyList<string> events, CancellationToken cancellationToken = default) =>
        GetAsync(
            new("POST /notifications/webhooks", "notifications/webhooks", HttpMethod.Post) { Content = Json(url, events) },
            BasiqJson.Default.Webhook,
            cancellationToken);

    public Task<Webhook> UpdateWebhookAsync(
        string webhookId, string url, IReadOnlyList<string> events, CancellationToken cancellationToken = default) =>
        GetAsync(
            new("POST /notifications/webhooks/{webhookId}", $"notifications/webhooks/{Id(webhookId)}", HttpMethod.Post)
            {
                Content = Json(url, events),
            },
            BasiqJson.Default.Webhook,
            cancellationToken);

    public Task DeleteWebhookAsync(string webhookId, CancellationToken cancellationToken = default) =>
        RemoveAsync(
            new("DELETE /notifications/webhooks/{webhookId}", $"notifications/webhooks/{Id(webhookId)}", HttpMethod.Delete),
            "webhook",
            webhookId,
            cancellationToken);

    public Task<IReadOnlyList<WebhookMessage>> ListWebhookMessagesAsync(
        string webhookId, int limit, CancellationToken cancellationToken = default) =>
        ListAsync(
            new(
                "GET /notifications/webhooks/{webhookId}/messages",
                string.Create(CultureInfo.InvariantCulture, $"notifications/webhooks/{Id(webhookId)}/messages?limit={limit}")),
            BasiqJson.Default.BasiqListWebhookMessage,
            cancellationToken);

    public Task<IReadOnlyList<JsonElement>> ListAccountsAsync(
        string userId, BasiqFilter? filter = null, CancellationToken cancellationToken = default) =>
        ListRecordsAsync(
            new(
                "GET /users/{userId}/accounts",
                $"users/{Id(userId)}/accounts" + (filter is null ? "" : $"?filter={filter.ToQueryValue()}")),
            cancellationToken);

    public Task<Account> GetAccountAsync(string userId, string accountId, CancellationToken cancellationToken = default) =>
        GetAsync(
            new("GET /users/{userId}/accounts/{accountId}", $"users/{Id(userId)}/accounts/{Id(accountId)}"),
            BasiqJson.Default.Account,
            cancellationToken);

    public Task<TransactionsPage> GetTransactionsPageAsync(
        string userId, BasiqFilter? filter = null, int limit = MaxPageSize, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxPageSize);
        var query = string.Create(CultureInfo.InvariantCulture, $"?limit={limit}")
            + (filter is null ? "" : $"&filter={filter.ToQueryValue()}");
        return GetPageAsync(
            new("GET /users/{userId}/transactions", $"users/{Id(userId)}/transactions{query}"), cancellationToken);
    }

    public Task<TransactionsPage> GetNextTransactionsPageAsync(string nextLink, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(nextLink);
        var request = new Request("GET /users/{userId}/transactions", nextLink);
        return LeadsToBasiq(nextLink)
            ? GetPageAsync(request, cancellationToken)
            : throw Failure(new(BasiqFailureKind.UnusableAnswer, BasiqFailure.ForeignLinkCode) { Endpoint = request.Endpoint });
    }

    public string? PathOf(string link) =>
        LeadsToBasiq(link) && new Uri(_baseUri, link).AbsolutePath is var path && path.StartsWith(_baseUri.AbsolutePath, StringComparison.Ordinal)
            ? path[(_baseUri.AbsolutePath.Length - 1)..]
            : null;

    private static ByteArrayContent Json(UserDetails details) => Json(details, BasiqJson.Default.UserDetails);

    private static ByteArrayContent Json<T>(T value, JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(value);
        return Body(JsonSerializer.SerializeToUtf8Bytes(value, type), "application/json");
    }

    // Headers of ours need no parser: they are right, and go out as they are.
    private static ByteArrayContent Body(byte[] bytes, string mediaType)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.TryAddWithoutValidation("Content-Type", mediaType);
        return content;
    }

    private static ByteArrayContent Json(string url, IReadOnlyList<string> events)
    {
        var details = new WebhookDetails(nameof(BasiqFunctions), "What ends consents, and what is new at banks.", url, events);
        return Json(details, BasiqJson.Default.WebhookDetails);
    }

    /// <summary>An id as a path segment: what cannot be one without meaning another path is a caller's mistake.</summary>
    private static string Id(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return id is "." or ".."
            ? throw new ArgumentException("A dot segment is not an id.", nameof(id))
            : Uri.EscapeDataString(id);
    }

    /// <summary>A token must never be sent to a place that an answer names and the settings do not.</summary>
    private bool LeadsToBasiq(string link) =>
        Uri.TryCreate(_baseUri, link, out var target)
        && target.Scheme == _baseUri.Scheme
        && string.Equals(target.IdnHost, _baseUri.IdnHost, StringComparison.OrdinalIgnoreCase)
        && target.Port == _baseUri.Port
        && target.UserInfo.Length == 0;

    private async Task<ClientToken> MintAsync(
        string form, Func<CancellationToken, Task>? lookUpUser, CancellationToken cancellationToken)
    {
        var request = new Request(TokenEndpoint, "token", HttpMethod.Post)
        {
            Content = Body(Encoding.ASCII.GetBytes(form), "application/x-www-form-urlencoded"),
            Credential = BasiqCredential.ApiKey,
            LookUpUser = lookUpUser,
        };
        return await GetAsync(
            request,
            BasiqJson.Default.ClientToken,
            cancellationToken,
            token => token is { AccessToken.Length: > 0, ExpiresIn: > 0 } && !token.AccessToken.Any(char.IsControl));
    }

    private Task<IReadOnlyList<string>> RefreshAsync(Request request, CancellationToken cancellationToken) =>
        CallAsync(
            request,
            (_, bytes) =>
            {
                using var document = JsonDocument.Parse(bytes);
                var root = document.RootElement;

                // 202 lists the jobs that were started; 200 gives the job that is still running, as a list or by itself.
                if (root.ValueKind is not JsonValueKind.Object || !root.TryGetProperty("data", out var data))
                    return (IReadOnlyList<string>)[root.RequiredText("id")];
                string[] ids = [.. data.EnumerateArray().Select(job => job.Text("id")).OfType<string>().Where(id => id.Length > 0).Distinct()];
                return ids.Length > 0 || data.GetArrayLength() == 0 ? ids : throw new JsonException("Jobs without 'id'.");
            },
            cancellationToken);

    private Task<TransactionsPage> GetPageAsync(Request request, CancellationToken cancellationToken) =>
        CallAsync(
            request,
            (content, bytes) =>
            {
                var page = TransactionsPage.Parse(bytes);
                page.TakeOver(content.Detach());
                return page;
            },
            cancellationToken);

    /// <summary>Gets a list. One without <c>data</c> does not say that there is nothing, and is no answer.</summary>
    private async Task<IReadOnlyList<TItem>> ListAsync<TItem>(
        Request request,
        JsonTypeInfo<BasiqList<TItem>> type,
        CancellationToken cancellationToken,
        Predicate<TItem>? isSound = null)
        where TItem : class
    {
        var list = await GetAsync(
            request,
            type,
            cancellationToken,
            list => list.Data?.All(item => item is not null && isSound?.Invoke(item) is not false) is true);
        return [.. list.Data!.OfType<TItem>()];
    }

    /// <summary>Gets a list whose records are looked at one by one, so that an odd one does not spoil the others.</summary>
    private Task<IReadOnlyList<JsonElement>> ListRecordsAsync(Request request, CancellationToken cancellationToken) =>
        CallAsync(
            request,
            (_, bytes) => JsonElement.Parse(bytes.Span) is { ValueKind: JsonValueKind.Object } list
                && list.TryGetProperty("data", out var data) && data.ValueKind is JsonValueKind.Array
                ? (IReadOnlyList<JsonElement>)[.. data.EnumerateArray()]
                : throw new JsonException("A list without 'data'."),
            cancellationToken);

    private Task<TResult> GetAsync<TResult>(
        Request request, JsonTypeInfo<TResult> type, CancellationToken cancellationToken, Predicate<TResult>? isSound = null)
        where TResult : class =>
        CallAsync(
            request,
            (_, bytes) => JsonSerializer.Deserialize(bytes.Span, type) is { } result && isSound?.Invoke(result) is not false
                ? result
                : throw new JsonException("Something is missing that belongs there."),
            cancellationToken);

    /// <summary>
    /// Deletes or purges. It is done when Basiq says so: by 204, by that very resource as JSON, or by 404 after an attempt that may have done
    /// it. Anything else, be it JSON, may be somebody else's answer and says nothing of the resource.
    /// </summary>
    private Task RemoveAsync(Request request, string type, string id, CancellationToken cancellationToken) =>
        ExchangeAsync(
            request,
            (request, response) => response.StatusCode is HttpStatusCode.NoContent || !response.IsSuccessStatusCode
                || Read(request, response, bytes => IsOf(bytes, type, id)),
            cancellationToken);

    /// <summary>True for a resource of this type and id, of which one may be left out.</summary>
    private static bool IsOf(ReadOnlyMemory<byte> bytes, string type, string id)
    {
        using var document = JsonDocument.Parse(bytes);
        return (document.RootElement.Text("type"), document.RootElement.Text("id")) switch
        {
            (null, null) => throw new JsonException("Neither a type nor an id."),
            var (saidType, saidId) when (saidType ?? type) == type && (saidId ?? id) == id => true,
            _ => throw new JsonException("Another resource."),
        };
    }

    /// <summary>Makes a call and reads its answer.</summary>
    private Task<TResult> CallAsync<TResult>(
        Request request, Func<PooledContent, ReadOnlyMemory<byte>, TResult> read, CancellationToken cancellationToken) =>
        ExchangeAsync(
            request,
            (request, response) => Read(request, response, bytes => read((PooledContent)response.Content, bytes)),
            cancellationToken);

    private async Task<TResult> ExchangeAsync<TResult>(
        Request request, Func<Request, HttpResponseMessage, TResult> read, CancellationToken cancellationToken)
    {
        using var measured = instruments.BeginCall(request.Endpoint);
        try
        {
            using var response = await SendAsync(request, cancellationToken);
            var result = read(request, response);
            measured.Ends(Instruments.Success);
            return result;
        }
        catch (BasiqException exception)
        {
            measured.Ends(BasiqOutcome.Of(exception.Failure.Kind));
            throw;
        }
    }

    [SuppressMessage("Reliability", "CA2000:Dispose objects before losing scope", Justification = "The caller disposes the response.")]
    private async Task<HttpResponseMessage> SendAsync(Request request, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(request.Method, new Uri(_baseUri, request.Target)) { Content = request.Content };
        message.Headers.TryAddWithoutValidation("Accept", "application/json");
        if (request.Credential is BasiqCredential.ApiKey)
            message.Headers.TryAddWithoutValidation("basiq-version", "3.0");
        var call = new BasiqCall(request.Endpoint, request.Credential, request.IsRepeatable, timeProvider.GetTimestamp())
        {
            LookUpUser = request.LookUpUser,
            ClientToken = request.ClientToken,
        };
        call.AttachTo(message);

        HttpResponseMessage response;
        try
        {
            // A call that nobody can end, such as that for the token of all, ends with the host: who disposes of the client waits for it.
            response = await _http.Value.SendAsync(message, cancellationToken.CanBeCanceled ? cancellationToken : _hostStopped);
        }
        catch (BasiqException)
        {
            // No token could be had: already told as what it is.
            throw;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception exception)
        {
            throw Failure(Unless(call, FailureOf(call, exception)), exception);
        }

        if (response.IsSuccessStatusCode)
            return response;

        var failure = FailureOf(call, response);
        if (request.Method == HttpMethod.Delete
            && failure.Kind is BasiqFailureKind.NotFound or BasiqFailureKind.Gone
            && call.MayHaveBeenProcessed)
        {
            Log.DeletedBefore(logger, call.Endpoint);
            return response;
        }

        using (response)
            throw Failure(Unless(call, failure));
    }

    private TResult Read<TResult>(Request request, HttpResponseMessage response, Func<ReadOnlyMemory<byte>, TResult> read)
    {
        var bytes = ((PooledContent)response.Content).Bytes;
        BasiqFailure failure;
        if (bytes.IsEmpty)
        {
            failure = Unusable("empty-answer", isTransient: true);
        }
        else if (!IsJson(response.Content.Headers))
        {
            failure = Unusable("not-json", isTransient: true);
        }
        else if (!Utf8.IsValid(bytes.Span))
        {
            // The JSON reader looks into few texts; what it lets through would break whatever keeps or passes the answer on.
            failure = Unusable("malformed-answer", isTransient: true);
        }
        else
        {
            try
            {
                return read(bytes);
            }
            catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
            {
                // The exception is not chained: it may quote what it stumbled over.
                failure = IsWellFormed(bytes)
                    ? UnexpectedShape(request.Endpoint, response)
                    : Unusable("malformed-answer", isTransient: true);
            }
        }

        // Basiq said that it has made the user, and not which: the caller must not send it again.
        throw Failure(request.IsRepeatable ? failure : failure with { Kind = BasiqFailureKind.OutcomeUnknown, IsTransient = false });

        BasiqFailure Unusable(string code, bool isTransient) =>
            new(BasiqFailureKind.UnusableAnswer, code)
            {
                StatusCode = (int)response.StatusCode,
                Endpoint = request.Endpoint,
                IsTransient = isTransient,
            };
    }

    /// <summary>Whether an answer says that it is JSON, or says nothing.</summary>
    private static bool IsJson(HttpContentHeaders headers) =>
        (headers.NonValidated.TryGetValues("Content-Type", out var said) && said.Count == 1 && said.ToString() is "application/json")
        || headers.ContentType?.MediaType is not { } mediaType
        || mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        || mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase);

    private static bool IsWellFormed(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static BasiqFailure UnexpectedShape(string endpoint, HttpResponseMessage? response) =>
        new(BasiqFailureKind.UnusableAnswer, "unexpected-shape")
        {
            StatusCode = (int?)response?.StatusCode,
            Endpoint = endpoint,
        };

    /// <summary>A call that must not be made twice and may have been carried out has one kind of failure only.</summary>
    private static BasiqFailure Unless(BasiqCall call, BasiqFailure failure) =>
        !call.IsRepeatable && call.MayHaveBeenProcessed
            ? failure with { Kind = BasiqFailureKind.OutcomeUnknown, IsTransient = false, RetryAfter = null, IsRefusedHere = false }
            : failure;

    private static BasiqFailure FailureOf(BasiqCall call, Exception exception)
    {
        var (kind, code, isTransient) = exception switch
        {
            TimeoutRejectedException or OperationCanceledException => (BasiqFailureKind.Timeout, "timeout", true),
            RateLimiterRejectedException => (
                BasiqFailureKind.Overloaded,
                call.Credential is BasiqCredential.ApiKey ? BasiqFailure.TokenLimitCode : BasiqFailure.CallLimitCode,
                true),
            BrokenCircuitException => (BasiqFailureKind.Unavailable, "circuit-open", true),
            HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } =>
                (BasiqFailureKind.UnusableAnswer, "answer-too-large", false),
            HttpRequestException { StatusCode: not null } => (BasiqFailureKind.UnusableAnswer, "truncated-answer", true),
            HttpRequestException => (BasiqFailureKind.Unavailable, "connection-failed", true),
            _ => (BasiqFailureKind.Other, "unexpected", false),
        };
        return new(kind, code)
        {
            Endpoint = call.Endpoint,
            IsTransient = isTransient,
            StatusCode = (int?)(exception as HttpRequestException)?.StatusCode,
            RetryAfter = exception switch
            {
                RateLimiterRejectedException refused => refused.RetryAfter,
                BrokenCircuitException => BasiqRegistration.BreakDuration,
                _ => null,
            },
            IsRefusedHere = exception is RateLimiterRejectedException,
        };
    }

    private BasiqFailure FailureOf(BasiqCall call, HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        var verdict = BasiqVerdict.Of(call, response);
        return new(verdict.Kind, verdict.Error?.Code ?? string.Create(CultureInfo.InvariantCulture, $"http-{status}"))
        {
            StatusCode = status,
            Title = verdict.Error?.Title,
            Detail = verdict.Error?.Detail,
            CorrelationId = verdict.Error?.CorrelationId,
            RetryAfter = BasiqRetries.RetryAfter(response, timeProvider),
            IsTransient = verdict.IsTransient,
            Endpoint = call.Endpoint,
            Sources = verdict.Error?.Sources ?? [],
        };
    }

    private BasiqException Failure(BasiqFailure failure, Exception? innerException = null)
    {
        if (!failure.IsRefusedHere)
            Log.Failed(logger, failure.Endpoint, failure.Kind, failure.Code, failure.StatusCode, failure.CorrelationId);
        else if (_refusals.IsDue(out var calls))
            Log.Limited(logger, failure.Endpoint, failure.Code, calls);
        return new(failure, innerException);
    }

    private sealed record Request(string Endpoint, string Target, HttpMethod Method)
    {
        public Request(string endpoint, string target)
            : this(endpoint, target, HttpMethod.Get)
        {
        }

        public HttpContent? Content { get; init; }

        public BasiqCredential Credential { get; init; }

        public bool IsRepeatable { get; init; } = true;

        public Func<CancellationToken, Task>? LookUpUser { get; init; }

        public string? ClientToken { get; init; }
    }
}
