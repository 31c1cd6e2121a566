using System.Text.Json;
using BasiqFunctions.Basiq.Auth;
using BasiqFunctions.Data;
using BasiqFunctions.LocalHost.Functions;
using BasiqFunctions.LocalHost.Orchestrations;
using BasiqFunctions.Notifications;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Sync;
using BasiqFunctions.Webhooks;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.LocalHost.Console;

/// <summary>
/// The console: its pages, <c>/</c> and <c>/reference</c>, which hold no data and are open, and the endpoints that its script asks
/// beside the API: <c>/console/status</c>, <c>/console/webhooks</c>, <c>/console/notifications</c> and, when Basiq is simulated,
/// <c>/console/sandbox</c>.
/// </summary>
internal sealed class ConsoleEndpoints(
    FunctionCatalog functions,
    Journal journal,
    IServiceProvider services,
    TimeProvider clock,
    CallerGuard guard,
    HttpAnswers answers,
    NotificationReceiver receiver)
{
    private const int RecentSyncs = 6;
    private const int RecentWebhooks = 12;
    private const int RecentNotifications = 8;

    /// <summary>
    /// Nothing but the console's own files and this host's answers; no inline script or style, and no string becomes markup.
    /// </summary>
    internal const string PagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        + "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private static readonly string[] Reads = ["GET", "HEAD"];

    private readonly Lazy<ConsoleAssets> _assets = new(ConsoleAssets.Load);

    /// <param name="endpoints">The host.</param>
    /// <param name="sandbox">Turns the sandbox's knobs; null when Basiq is not simulated.</param>
    public void Map(IEndpointRouteBuilder endpoints, SandboxControl? sandbox)
    {
        endpoints.MapMethods("/", Reads, context => PageAsync(context, "index.html"));
        endpoints.MapMethods("/reference", Reads, context => PageAsync(context, "reference.html"));
        endpoints.MapMethods("/console/assets/{version}/{name}", Reads, AssetAsync);
        endpoints.MapGet("/console/status", context => GuardedAsync(context, async () =>
        {
            var status = await StatusAsync(sandbox is not null, context.RequestAborted);
            return new JsonAnswer<ConsoleStatus>(StatusCodes.Status200OK, status, ConsoleJson.Default.ConsoleStatus);
        }));
        endpoints.MapGet("/console/webhooks", context => GuardedAsync(context, async () =>
        {
            var webhooks = await WebhooksAsync(context.RequestAborted);
            return new JsonAnswer<ConsoleWebhooks>(StatusCodes.Status200OK, webhooks, ConsoleJson.Default.ConsoleWebhooks);
        }));
        endpoints.MapGet("/console/notifications", context => GuardedAsync(context, async () =>
        {
            var notifications = await NotificationsAsync(context.RequestAborted);
            return new JsonAnswer<ConsoleNotifications>(StatusCodes.Status200OK, notifications, ConsoleJson.Default.ConsoleNotifications);
        }));

        // As open as a team's own receiver: the signature is the guard.
        endpoints.MapPost("/console/notifications", TakeNotificationAsync);
        if (sandbox is null)
            return;
        endpoints.MapGet("/console/sandbox", context => GuardedAsync(
            context, async () => Knobs(await sandbox.ReadAsync(context.RequestAborted))));
        endpoints.MapPatch("/console/sandbox", context => GuardedAsync(context, async () =>
        {
            var asked = await JsonBody.ReadAsync(context.Request, null, context.RequestAborted, type: ConsoleJson.Default.SandboxKnobs);
            var (knobs, refusal) = await sandbox.ChangeAsync(asked, context.RequestAborted);
            return refusal ?? (IResult)Knobs(knobs!);
        }));
    }

    private static JsonAnswer<SandboxKnobs> Knobs(SandboxKnobs knobs) =>
        new(StatusCodes.Status200OK, knobs, ConsoleJson.Default.SandboxKnobs);

    /// <summary>The page for an address that nothing is at, for a browser that asked for a page; the status is set.</summary>
    public Task WriteMissingAsync(HttpContext context)
    {
        // It is no other page than before, and still not found.
        context.Request.Headers.IfNoneMatch = default;
        return PageAsync(context, "missing.html");
    }

    private Task PageAsync(HttpContext context, string name)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-cache";
        headers.ContentSecurityPolicy = PagePolicy;
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        return _assets.Value.Find(name)!.WriteAsync(context);
    }

    private Task AssetAsync(HttpContext context)
    {
        var values = context.Request.RouteValues;
        var assets = _assets.Value;
        if ((string?)values["version"] != assets.Version || assets.Find((string)values["name"]!) is not { } asset)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        context.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return asset.WriteAsync(context);
    }

    private Task TakeNotificationAsync(HttpContext context) => AnswerAsync(context, () => receiver.ReceiveAsync(context.Request));

    private Task GuardedAsync(HttpContext context, Func<Task<IResult>> answer) =>
        AnswerAsync(context, async () => guard.Refuse(context.Request, AuthorizationLevel.Function) ?? await answer());

    private async Task AnswerAsync(HttpContext context, Func<Task<IResult>> answer) =>
        await (await answers.RunAsync(context, "Console", _ => answer(), context.RequestAborted)).ExecuteAsync(context);

    private async Task<ConsoleWebhooks> WebhooksAsync(CancellationToken cancellation)
    {
        var subscriptions = services.GetRequiredService<Subscriptions>();
        var records = await journal.ListNewestAsync(EventOrchestration.Name, RecentWebhooks, cancellation);
        return new ConsoleWebhooks(
            await subscriptions.AreExpectedAsync(cancellation),
            [.. records.Select(IncomingWebhook.From).OfType<IncomingWebhook>()]);
    }

    private async Task<ConsoleNotifications> NotificationsAsync(CancellationToken cancellation)
    {
        var queues = services.GetRequiredService<DeliveryQueues>();
        var subscriptions = await services.GetRequiredService<NotificationSubscriptions>().ListAsync(cancellation);
        List<SentNotification> sent = [];
        foreach (var name in subscriptions.Select(subscription => subscription.Name))
        {
            var newest = await queues.ListAsync(name, status: null, cursor: null, RecentNotifications, cancellation);
            sent.AddRange(newest.Deliveries.Select(delivery => new SentNotification(name, delivery)));
        }

        return new ConsoleNotifications(
            subscriptions, [.. sent.OrderByDescending(s => s.Delivery.CreatedAt).Take(RecentNotifications)], receiver.Received);
    }

    private async Task<ConsoleStatus> StatusAsync(bool isSimulated, CancellationToken cancellation)
    {
        // Taken when they are needed: they bring the clients of Basiq and of the vault, which the start need not wait for.
        var tokens = services.GetRequiredService<IServerTokenProvider>();
        var syncs = services.GetRequiredService<Syncs>();
        var client = services.GetRequiredService<DurableTaskClient>();
        var now = clock.GetUtcNow();
        var token = tokens.GetHealth() is { Age: { } age, ExpiresAt: { } expiresAt } ? new TokenTimes(now - age, expiresAt) : null;
        List<TimerTimes> timers = [];
        foreach (var timer in functions.Timers)
        {
            var times = await journal.FindTimerAsync(timer.Name, cancellation);
            timers.Add(new TimerTimes(
                timer.Name, times is { Last: var last } && last != DateTime.MinValue ? last : null, times is { Next: var next } ? next : null));
        }

        List<RecentSync> recent = [];
        foreach (var record in await journal.ListNewestAsync(SyncOrchestration.Name, RecentSyncs, cancellation))
        {
            if (record.Input is { } input
                && JsonSerializer.Deserialize(input, AppJson.Of<SyncInput>()) is { } started
                && await syncs.FindAsync(client, started.UserId, new(record.InstanceId), cancellation) is { } sync)
            {
                recent.Add(new RecentSync(
                    sync.SyncId, sync.UserId, sync.Status, sync.StartedAt, sync.UpdatedAt, sync.Accounts.Fetched, sync.Transactions));
            }
        }

        return new ConsoleStatus(now, token, timers, recent, services.GetRequiredService<IOptions<SnapshotOptions>>().Value.TimeZone, isSimulated);
    }
}
