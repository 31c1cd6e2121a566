using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace BasiqFunctions.Benchmarks.Upstream;

/// <summary>Serves <see cref="FixedAnswers"/>, as cheaply as Kestrel can.</summary>
internal static class FixedUpstream
{
    public static async Task RunAsync(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Run(context =>
        {
            if (FixedAnswers.To(context.Request.Method, context.Request.Path.Value!) is not var (status, body))
            {
                context.Response.StatusCode = 404;
                return Task.CompletedTask;
            }

            context.Response.StatusCode = status;
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = body.Length;
            return context.Response.Body.WriteAsync(body).AsTask();
        });
        await app.RunAsync();
    }
}
