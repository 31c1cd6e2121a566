using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
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

/// <summary>Makes calls to Basiq, reads their answers, and tells what went wrong as <see cref="BasiqException"/>.</summary>
/// <param name="handler">What authorizes the calls, before <see cref="BasiqRegistration"/>'s pipeline.</param>
/// <param name="options">The settings.</param>
/// <param name="timeProvider">The clock.</param>
/// <param name="instruments">What measures the calls.</param>
/// <param name="logger">The log.</param>
/// <param name="host">The host, whose end ends what nobody else can.</param>
[SuppressMessage("Design", "CA1001", Justification = "The invoker owns nothing: its handler is the factory's.")]
internal sealed class BasiqTransport(
    HttpMessageHandler handler,
    IOptions<BasiqOptions> options,
    TimeProvider timeProvider,
    Instruments instruments,
    ILogger<BasiqClient> logger,
    IHostApplicationLifetime? host = null)
    : IBasiqAddress
{
    /// <summary>Name of the one HTTP client and its pipeline.</summary>
    internal const string HttpClientName = "basiq";

    private readonly Uri _baseUri = new(options.Value.BaseUrl.TrimEnd('/') + '/');

    private readonly LogPace _refusals = new(timeProvider);

    private readonly CancellationToken _hostStopped = host?.ApplicationStopped ?? CancellationToken.None;

    // An invoker, since all that an HttpClient would add (a base address, a time-out) is the pipeline's.
    private readonly HttpMessageInvoker _http = new(handler, disposeHandler: false);

    /// <summary>A body of JSON.</summary>
    public static ByteArrayContent Json<T>(T value, JsonTypeInfo<T> type)
    {
        ArgumentNullException.ThrowIfNull(value);
        return Body(JsonSerializer.SerializeToUtf8Bytes(value, type), "application/json");
    }

    /// <summary>A body. Headers of ours need no parser: they are right, and go out as they are.</summary>
    public static ByteArrayContent Body(byte[] bytes, string mediaType)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.TryAddWithoutValidation("Content-Type", mediaType);
        return content;
    }

    public string? PathOf(string link) =>
        LeadsToBasiq(link) && new Uri(_baseUri, link).AbsolutePath is var path && path.StartsWith(_baseUri.AbsolutePath, StringComparison.Ordinal)
            ? path[(_baseUri.AbsolutePath.Length - 1)..]
            : null;

    /// <summary>A call that follows a link of an answer.</summary>
    /// <exception cref="BasiqException">The link leads elsewhere (<see cref="BasiqFailure.ForeignLinkCode"/>).</exception>
    public BasiqCall Follow(string endpoint, string link) =>
        LeadsToBasiq(link)
            ? new BasiqCall(endpoint) { Target = link }
            : throw Failure(new(BasiqFailureKind.UnusableAnswer, BasiqFailure.ForeignLinkCode) { Endpoint = endpoint });

    /// <summary>Gets a list. One without <c>data</c> does not say that there is nothing, and is no answer.</summary>
    public async Task<IReadOnlyList<TItem>> ListAsync<TItem>(
        BasiqCall call, JsonTypeInfo<BasiqList<TItem>> type, CancellationToken cancellationToken)
        where TItem : class
    {
        var list = await GetAsync(call, type, cancellationToken, list => list.Data?.All(item => item is not null) is true);
        return [.. list.Data!.OfType<TItem>()];
    }

    /// <summary>Gets a list whose records are looked at one by one, so that an odd one does not spoil the others.</summary>
    public Task<IReadOnlyList<JsonElement>> ListRecordsAsync(BasiqCall call, CancellationToken cancellationToken) =>
        CallAsync(
            call,
            (_, bytes) => JsonElement.Parse(bytes.Span) is { ValueKind: JsonValueKind.Object } list
                && list.TryGetProperty("data", out var data) && data.ValueKind is JsonValueKind.Array
                ? (IReadOnlyList<JsonElement>)[.. data.EnumerateArray()]
                : throw new JsonException("A list without 'data'."),
            cancellationToken);

    /// <summary>Gets one thing.</summary>
    public Task<TResult> GetAsync<TResult>(
        BasiqCall call, JsonTypeInfo<TResult> type, CancellationToken cancellationToken, Predicate<TResult>? isSound = null)
        where TResult : class =>
        CallAsync(
            call,
            (_, bytes) => JsonSerializer.Deserialize(bytes.Span, type) is { } result && isSound?.Invoke(result) is not false
                ? result
                : throw new JsonException("Something is missing that belongs there."),
            cancellationToken);

    /// <summary>
    /// Deletes or purges. It is done when Basiq says so: by 204, by that very resource as JSON, or by 404 after an attempt that may have done
    /// it. Anything else, even JSON, may come from another server and says nothing about the resource.
    /// </summary>
    public Task RemoveAsync(BasiqCall call, string type, string id, CancellationToken cancellationToken) =>
        ExchangeAsync(
            call,
            (call, response) => response.StatusCode is HttpStatusCode.NoContent || !response.IsSuccessStatusCode
                || Read(call, response, bytes => IsOf(bytes, type, id)),
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
    public Task<TResult> CallAsync<TResult>(
        BasiqCall call, Func<PooledContent, ReadOnlyMemory<byte>, TResult> read, CancellationToken cancellationToken) =>
        ExchangeAsync(
            call,
            (call, response) => Read(call, response, bytes => read((PooledContent)response.Content, bytes)),
            cancellationToken);

    private async Task<TResult> ExchangeAsync<TResult>(
        BasiqCall call, Func<BasiqCall, HttpResponseMessage, TResult> read, CancellationToken cancellationToken)
    {
        using var measured = instruments.BeginCall(call.Endpoint);
        try
        {
            using var response = await SendAsync(call, cancellationToken);
            var result = read(call, response);
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
    private async Task<HttpResponseMessage> SendAsync(BasiqCall call, CancellationToken cancellationToken)
    {
        using var message = call.ToRequest(_baseUri, timeProvider.GetTimestamp());
        HttpResponseMessage response;
        try
        {
            // A call that nobody can end, such as that for the token of all, ends with the host: who disposes of the client waits for it.
            response = await _http.SendAsync(message, cancellationToken.CanBeCanceled ? cancellationToken : _hostStopped);
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
        if (call.Method == HttpMethod.Delete && failure.IsNotFound && call.MayHaveBeenProcessed)
        {
            Log.DeletedBefore(logger, call.Endpoint);
            return response;
        }

        using (response)
            throw Failure(Unless(call, failure));
    }

    private TResult Read<TResult>(BasiqCall call, HttpResponseMessage response, Func<ReadOnlyMemory<byte>, TResult> read)
    {
        var bytes = ((PooledContent)response.Content).Bytes;
        BasiqFailure failure;
        if (bytes.IsEmpty)
        {
            failure = Unusable("empty-answer", isTransient: true);
        }
        else if (call.Accept is BasiqCall.Json ? !IsJson(response.Content.Headers) : !Is(call.Accept, response.Content.Headers))
        {
            failure = Unusable(call.Accept is BasiqCall.Json ? "not-json" : "another-type", isTransient: true);
        }
        else if (call.Accept is BasiqCall.Json && !Utf8.IsValid(bytes.Span))
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
                failure = call.Accept is BasiqCall.Json && IsWellFormed(bytes) ? Unusable("unexpected-shape", isTransient: false) : Unusable("malformed-answer", isTransient: true);
            }
        }

        // Basiq said that it has made the user, and not which: the caller must not send it again.
        throw Failure(call.IsRepeatable ? failure : failure with { Kind = BasiqFailureKind.OutcomeUnknown, IsTransient = false });

        BasiqFailure Unusable(string code, bool isTransient) =>
            new(BasiqFailureKind.UnusableAnswer, code)
            {
                StatusCode = (int)response.StatusCode,
                Endpoint = call.Endpoint,
                IsTransient = isTransient,
            };
    }

    /// <summary>Whether an answer says that it is JSON, or says nothing.</summary>
    private static bool IsJson(HttpContentHeaders headers) =>
        (headers.NonValidated.TryGetValues("Content-Type", out var said) && said.Count == 1 && said.ToString() is "application/json")
        || headers.ContentType?.MediaType is not { } mediaType
        || mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        || mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether an answer says that it is of a type.</summary>
    private static bool Is(string mediaType, HttpContentHeaders headers) =>
        string.Equals(headers.ContentType?.MediaType, mediaType, StringComparison.OrdinalIgnoreCase);

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
                call.AsksForToken ? BasiqFailure.TokenLimitCode : BasiqFailure.CallLimitCode,
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
        // A 404 mostly answers a caller who asked for what is not there, which is no fault of this service.
        var level = failure.IsNotFound ? LogLevel.Information : LogLevel.Warning;
        if (!failure.IsRefusedHere)
            Log.Failed(logger, level, failure.Endpoint, failure.Kind, failure.Code, failure.StatusCode, failure.CorrelationId);
        else if (_refusals.IsDue(out var calls))
            Log.Limited(logger, failure.Endpoint, failure.Code, calls);
        return new(failure, innerException);
    }

    /// <summary>A token must never be sent to a place that an answer names and the settings do not.</summary>
    private bool LeadsToBasiq(string link) =>
        Uri.TryCreate(_baseUri, link, out var target)
        && target.Scheme == _baseUri.Scheme
        && string.Equals(target.IdnHost, _baseUri.IdnHost, StringComparison.OrdinalIgnoreCase)
        && target.Port == _baseUri.Port
        && target.UserInfo.Length == 0;
}
