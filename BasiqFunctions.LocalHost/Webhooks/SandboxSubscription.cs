using BasiqFunctions.Basiq;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Webhooks;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.LocalHost.Webhooks;

/// <summary>
/// Has the sandbox tell this host by webhooks what happens, as Basiq tells the deployed app, without anybody asking for it. It is
/// there only where the sandbox is: a Basiq account's subscription is its owner's to make.
/// </summary>
/// <remarks>
/// It comes after the first answers: nobody can have consented, let alone revoked, by then. It changes nothing when the sandbox knows
/// this address already, and a subscription that somebody gave another machine's address stays.
/// </remarks>
internal sealed class SandboxSubscription(
    IServer server, IHostApplicationLifetime lifetime, IServiceProvider services, TimeProvider clock, ILogger<SandboxSubscription> logger)
    : BackgroundService
{
    private static readonly TimeSpan AfterTheStart = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The server listens last of all.
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        try
        {
            await started.Task.WaitAsync(stoppingToken);
            await Task.Delay(AfterTheStart, clock, stoppingToken);
            var subscriptions = services.GetRequiredService<Subscriptions>();
            if (await subscriptions.FindAsync(services.GetRequiredService<DurableTaskClient>(), stoppingToken) is { Url: { } url } && !new Uri(url).IsLoopback)
                Log.SubscribedElsewhere(logger);
            else if (!await subscriptions.EnsureAsync(Address().ToString(), stoppingToken))
                Log.SubscribedAlready(logger);
        }
#pragma warning disable CA1031 // Whatever fails while the host goes is no failure of the subscription's, and the host would log it as one.
        catch (Exception) when (stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
        }
        catch (BasiqException exception)
        {
            Log.NotSubscribed(logger, exception.Failure.ToString(), null);
        }
        catch (ProblemException exception)
        {
            Log.NotSubscribed(logger, exception.Problem.Code, null);
        }
#pragma warning disable CA1031 // The host goes on without webhooks, as it would with a Basiq account that has no subscription.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.NotSubscribed(logger, "see the exception", exception);
        }
    }

    /// <summary>The address of ReceiveWebhook as the sandbox, which is in this process, reaches it: in the clear where there is a choice.</summary>
    private Uri Address()
    {
        var addresses = server.Features.Get<IServerAddressesFeature>()!.Addresses;
        var binding = BindingAddress.Parse(addresses.FirstOrDefault(a => a.StartsWith("http:", StringComparison.Ordinal)) ?? addresses.First());

        // What listens everywhere listens here, too.
        var host = binding.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "localhost" : binding.Host;
        return new Uri($"{binding.Scheme}://{host}:{binding.Port}/api/webhooks/basiq");
    }
}
