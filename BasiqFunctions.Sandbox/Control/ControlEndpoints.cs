using System.Text.Json;
using System.Text.Json.Nodes;
using BasiqFunctions.Sandbox.Connections;
using BasiqFunctions.Sandbox.Platform;

namespace BasiqFunctions.Sandbox.Control;

/// <summary>What is not Basiq's: <c>/_sandbox/options</c>, <c>/_sandbox/stats</c>, <c>/_sandbox/reset</c> and
/// <c>/_sandbox/background-refresh</c>.</summary>
internal sealed class ControlEndpoints(LiveOptions options, Stats stats, Faults faults, BackgroundRefresh background)
{
    private readonly Lock _oneChangeAtATime = new();

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/_sandbox/stats", context => Answers.Json(context, 200, stats, static (writer, stats) => stats.Write(writer)));
        endpoints.MapPost("/_sandbox/reset", Reset);
        endpoints.MapPost("/_sandbox/background-refresh", Refresh);
        endpoints.MapGet("/_sandbox/options", context => Write(context, options.Current));
        endpoints.MapPut("/_sandbox/options", context => Change(context, () => new SandboxOptions { ApiKey = options.Current.ApiKey, OtherApiKey = options.Current.OtherApiKey }));
        endpoints.MapPatch("/_sandbox/options", context => Change(context, () => options.Current));
    }

    private Task Reset(HttpContext context)
    {
        stats.Reset();
        faults.Restart();
        return Answers.NoContent(context);
    }

    /// <summary>Refreshes the active connections of the user that <c>userId</c> names, or of everybody.</summary>
    private Task Refresh(HttpContext context) =>
        Answers.Json(context, 202, background.Run(context.Request.Query["userId"]), static (writer, refreshed) =>
        {
            writer.WriteStartObject();
            writer.WriteNumber("connections"u8, refreshed);
            writer.WriteEndObject();
        });

    private async Task Change(HttpContext context, Func<SandboxOptions> from)
    {
        try
        {
            var body = await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
            if (body is not JsonObject given)
                throw new JsonException("The body must be an object.");
            SandboxOptions next;
            lock (_oneChangeAtATime)
            {
                var changed = JsonSerializer.SerializeToNode(from(), OptionsJson.Default.SandboxOptions)!.AsObject();
                foreach (var (name, value) in given)
                    changed[name] = value?.DeepClone();
                next = changed.Deserialize(OptionsJson.Default.SandboxOptions)!;
                next.StateFile = options.Configured.StateFile;
                if (next.Problems() is { Count: > 0 } problems)
                    throw new JsonException(string.Join(' ', problems));
                if (next.Seed != options.Current.Seed)
                    faults.Restart();
                options.Current = next;
            }

            await Write(context, next);
        }
        catch (JsonException exception)
        {
            await Answers.BadContent(context, exception.Message);
        }
    }

    /// <summary>All but the API keys: what is read here may be sent back as it is, and the keys then stay.</summary>
    private static Task Write(HttpContext context, SandboxOptions current)
    {
        return Answers.Json(context, 200, current, static (writer, current) =>
        {
            var shown = JsonSerializer.SerializeToNode(current, OptionsJson.Default.SandboxOptions)!.AsObject();
            shown.Remove("apiKey");
            shown.Remove("otherApiKey");
            shown.WriteTo(writer);
        });
    }
}
