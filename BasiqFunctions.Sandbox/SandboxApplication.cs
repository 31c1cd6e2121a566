using System.Globalization;
using BasiqFunctions.Sandbox.Auth;
using BasiqFunctions.Sandbox.Connections;
using BasiqFunctions.Sandbox.Consents;
using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Data;
using BasiqFunctions.Sandbox.Platform;
using BasiqFunctions.Sandbox.Reports;
using BasiqFunctions.Sandbox.Sync;
using BasiqFunctions.Sandbox.Users;
using BasiqFunctions.Sandbox.Webhooks;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace BasiqFunctions.Sandbox;

/// <summary>Builds the sandbox as a web application, to run alone or inside another process.</summary>
public static class SandboxApplication
{
    /// <summary>Where the sandbox listens unless told otherwise: loopback only.</summary>
    public const string DefaultUrl = "http://localhost:7072";

    private const int MaxBody = 1024 * 1024;

    /// <summary>
    /// Builds it, not yet started. Options come from the configuration section <c>Sandbox</c>; a <see cref="TimeProvider"/>
    /// registered by <paramref name="configure"/> drives jobs, tokens and latency.
    /// </summary>
    /// <param name="args">Command line, as <c>--urls</c> or <c>--Sandbox:JobDuration=00:00:01</c>.</param>
    /// <param name="configure">Has the last word on configuration, services, logging and the address.</param>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">A value is not good; the message names it.</exception>
    public static WebApplication Create(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.SetMinimumLevel(LogLevel.Warning);

        // Why a start fails is said in one line by whoever started it.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        builder.WebHost.ConfigureKestrel(ConfigureKestrel);
        builder.Services.Configure<SandboxOptions>(builder.Configuration.GetSection(SandboxOptions.SectionName));
        builder.Services.AddSingleton<LiveOptions>();
        builder.Services.AddSingleton<SandboxState>();
        builder.Services.AddSingleton<Stats>();
        builder.Services.AddSingleton<Tokens>();
        builder.Services.AddSingleton<Faults>();
        builder.Services.AddSingleton<WebhookDelivery>();
        builder.Services.AddHostedService(services => services.GetRequiredService<WebhookDelivery>());
        builder.Services.AddSingleton<Events>();
        builder.Services.AddSingleton<Milestones>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Milestones>());
        builder.Services.AddSingleton<ConsentLife>();
        builder.Services.AddSingleton<Jobs>();
        builder.Services.AddSingleton<DataViews>();
        builder.Services.AddSingleton<BackgroundRefresh>();
        builder.Services.AddHostedService(services => services.GetRequiredService<BackgroundRefresh>());
        if (string.IsNullOrEmpty(builder.Configuration[WebHostDefaults.ServerUrlsKey]))
            builder.WebHost.UseUrls(DefaultUrl);
        configure?.Invoke(builder);
        builder.Services.TryAddSingleton(TimeProvider.System);

        var app = builder.Build();
        Map(app);
        return app;
    }

    private static void ConfigureKestrel(Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = MaxBody;
    }

    private static void Map(WebApplication app)
    {
        var services = app.Services;
        var options = services.GetRequiredService<LiveOptions>();
        var state = services.GetRequiredService<SandboxState>();
        var stats = services.GetRequiredService<Stats>();
        var tokens = services.GetRequiredService<Tokens>();
        var jobs = services.GetRequiredService<Jobs>();
        var data = services.GetRequiredService<DataViews>();
        var faults = services.GetRequiredService<Faults>();
        var clock = services.GetRequiredService<TimeProvider>();

        app.Use(next => context => Dated(context, next, clock));
        app.Use(next => context => faults.Invoke(context, next));
        app.Use(next => context => RefuseBadRequests(context, next));

        var routes = new ApiRoutes(app, tokens, state, options, stats);
        new TokenEndpoint(tokens, state, options, clock, stats).Map(routes);
        var events = services.GetRequiredService<Events>();
        var consents = services.GetRequiredService<ConsentLife>();
        new UserEndpoints(state, events, data, clock).Map(routes);
        new ConsentEndpoints(state, consents, clock).Map(routes);
        jobs.Map(routes);
        new Challenges(state, services.GetRequiredService<Milestones>(), clock).Map(routes);
        new Statements(state, jobs, options, clock).Map(routes);
        new Connectors(options).Map(routes);
        new ConnectionEndpoints(state, jobs, events, data, options, clock).Map(routes);
        new AccountEndpoints(data).Map(routes);
        new TransactionEndpoints(data, stats).Map(routes);
        new IdentityEndpoints(data).Map(routes);
        new ReportEndpoints(state, data, options, clock).Map(routes);
        new EventEndpoints(state, clock).Map(routes);
        new WebhookEndpoints(state, services.GetRequiredService<WebhookDelivery>(), clock).Map(routes);
        var manage = new ManagePage(state, tokens, consents, options, clock);
        new ConsentPage(state, tokens, jobs, consents, events, manage, options, clock).Map(routes);
        new ControlEndpoints(options, stats, faults, services.GetRequiredService<BackgroundRefresh>()).Map(app);
        app.MapFallback("{**path}", Answers.NotFound);
    }

    /// <summary>A caller that reads the time from the answers reads the sandbox's, which tests move.</summary>
    private static Task Dated(HttpContext context, RequestDelegate next, TimeProvider clock)
    {
        context.Response.Headers.Date = clock.GetUtcNow().ToString("R", CultureInfo.InvariantCulture);
        return next(context);
    }

    /// <summary>A body that is too long, or that the form reader cannot read, is the caller's mistake and said so.</summary>
    private static async Task RefuseBadRequests(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException exception) when (!context.Response.HasStarted)
        {
            await Answers.Error(
                context, exception.StatusCode, new ApiError("invalid-content", "Invalid content.", "The body cannot be read."));
        }
        catch (InvalidDataException) when (!context.Response.HasStarted)
        {
            await Answers.BadContent(context, "The form cannot be read.");
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller has gone: there is nobody to answer.
            if (!context.Response.HasStarted)
                context.Response.StatusCode = 499;
        }
    }
}
