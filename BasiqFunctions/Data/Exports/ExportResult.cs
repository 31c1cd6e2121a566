using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace BasiqFunctions.Data.Exports;

/// <summary>
/// 200 with all transactions of an export. One that cannot be read to its end breaks the connection: what has arrived never looks whole.
/// </summary>
internal sealed record ExportResult(Export Export, ExportFormat Format, EntityTagHeaderValue Tag, ExportReader Reader, SnapshotAnswers Answers, TimeProvider Clock, ILogger Logger)
    : IResult, IStatusCodeHttpResult, IContentTypeHttpResult
{
    public string ContentType => Format.ContentType;

    public int? StatusCode => StatusCodes.Status200OK;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        await using var export = Export;
        var response = httpContext.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = ContentType;
        response.Headers.ContentDisposition = $"attachment; filename=\"{Format.FileName}\"";
        response.Headers.ETag = Tag.ToString();
        httpContext.Protect();
        using var late = new CancellationTokenSource(ExportReader.ReadFor, Clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, late.Token);
        Stream? compressed = null;
        try
        {
            compressed = Format.IsCompressed ? null : ContentCoding.Begin(httpContext);
            if (HttpMethods.IsHead(httpContext.Request.Method))
                return;
            await export.WriteAsync(Format, compressed ?? response.Body, end.Token);

            // What ends the coding says that the answer is whole.
            if (compressed is not null)
                await compressed.DisposeAsync();
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            httpContext.Abort();
        }
        catch (SnapshotCorruptException e)
        {
            httpContext.Abort();
            Logger.BrokenOff(e, export.UserId);
            if (await Reader.IsDamageAsync(export.UserId, e, CancellationToken.None))
                await Answers.NoteDamageAsync(export.UserId, e, CancellationToken.None);
        }
        catch
        {
            httpContext.Abort();
            throw;
        }
        finally
        {
            if (compressed is not null)
                await compressed.DisposeAsync();
        }
    }
}
