using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Reports;

/// <summary>
/// 200 with a part of a report as Basiq sent it, written as it is read. One that cannot be read to its end breaks the connection: what has
/// arrived never looks whole.
/// </summary>
internal sealed record ReportContent(ReportId ReportId, SealedBlob Blob, string ContentType, string? FileName, Instruments Instruments, ILogger Logger)
    : IResult, IStatusCodeHttpResult, IContentTypeHttpResult
{
    public int? StatusCode => StatusCodes.Status200OK;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var blob = Blob;
        var (response, gone) = (httpContext.Response, httpContext.RequestAborted);
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = ContentType;
        if (FileName is not null)
            response.Headers.ContentDisposition = $"attachment; filename=\"{FileName}\"";
        httpContext.Protect();
        if (HttpMethods.IsHead(httpContext.Request.Method))
            return;
        try
        {
            await foreach (var piece in blob.ReadAsync(gone))
                await response.Body.WriteAsync(piece, gone);
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            httpContext.Abort();
        }
        catch (ReportDamagedException)
        {
            Instruments.Damaged("reports");
            Log.BrokenOff(Logger, ReportId);
            httpContext.Abort();
        }
        catch
        {
            httpContext.Abort();
            throw;
        }
    }
}
