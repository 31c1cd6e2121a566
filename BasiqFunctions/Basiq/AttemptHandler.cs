using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using BasiqFunctions.Platform.Records;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Basiq;

/// <summary>
/// The innermost handler, once per attempt: reads the whole body, so that a body that stalls or breaks off is the attempt's
/// failure and within its time-out; notes whether Basiq may have carried the request out; and writes the one log line.
/// </summary>
internal sealed class AttemptHandler(
    IOptions<BasiqOptions> options, TimeProvider timeProvider, ClockCheck clock, ILogger<AttemptHandler> logger)
    : DelegatingHandler
{
    private const int FirstBuffer = 16 * 1024;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var call = BasiqCall.Of(request);
        call.Attempts++;
        var start = timeProvider.GetTimestamp();
        try
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (response.Headers.Date is { } date)
                clock.Note(date);
            await BufferAsync(response, cancellationToken);
            if ((int)response.StatusCode >= 500 || response.StatusCode is HttpStatusCode.RequestTimeout)
                call.MayHaveBeenProcessed = true;
            Log.Answered(
                logger, call.Endpoint, call.Attempts, (int)response.StatusCode, timeProvider.GetElapsedTime(start).TotalMilliseconds);
            return response;
        }
        catch (Exception exception)
        {
            if (!BasiqRetries.NeverLeft(exception))
                call.MayHaveBeenProcessed = true;
            Log.Unanswered(
                logger, call.Endpoint, call.Attempts, Reason(exception), timeProvider.GetElapsedTime(start).TotalMilliseconds);
            throw;
        }
    }

    private static string Reason(Exception exception) =>
        exception switch
        {
            HttpRequestException { HttpRequestError: var error and not HttpRequestError.Unknown } => error.ToString(),
            OperationCanceledException => "Cancelled",
            _ => exception.GetType().Name,
        };

    [SuppressMessage(
        "Reliability", "CA2000:Dispose objects before losing scope", Justification = "The response owns its content.")]
    private async Task BufferAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var received = response.Content;
        var limit = options.Value.MaxAnswerBytes;
        var expected = received.Headers.ContentLength is { } announced and >= 0 ? Math.Min(announced, limit) + 1 : FirstBuffer;
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Max(expected, 256));
        var length = 0;
        try
        {
            await using var body = await received.ReadAsStreamAsync(cancellationToken);
            while (await body.ReadAsync(buffer.AsMemory(length), cancellationToken) is > 0 and var read)
            {
                length += read;
                if (length > limit)
                {
                    throw new HttpRequestException(
                        HttpRequestError.ConfigurationLimitExceeded, "The answer is larger than Basiq:MaxAnswerBytes.",
                        statusCode: response.StatusCode);
                }

                if (length == buffer.Length)
                    buffer = Grow(buffer);
            }
        }
        catch (Exception exception)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            var statusCode = response.StatusCode;
            response.Dispose();
            if (exception is IOException or InvalidDataException)
            {
                throw new HttpRequestException(
                    HttpRequestError.ResponseEnded, "The answer broke off.", exception, statusCode);
            }

            throw;
        }

        var buffered = new PooledContent(buffer, length);
        if (received.Headers.NonValidated.TryGetValues("Content-Type", out var contentType))
            buffered.Headers.TryAddWithoutValidation("Content-Type", contentType);
        response.Content = buffered;
        received.Dispose();
    }

    private static byte[] Grow(byte[] full)
    {
        var larger = ArrayPool<byte>.Shared.Rent(full.Length * 2);
        full.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(full);
        return larger;
    }
}
