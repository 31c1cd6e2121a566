using System.Globalization;
using System.Runtime.InteropServices;
using BasiqFunctions.Client;
using KeepInStep;
using Microsoft.Extensions.DependencyInjection;

if (args is not [var api, var database, var first, .. var others])
{
    Console.Error.WriteLine("Usage: KeepInStep <url of the API, up to /api> <connection string> <user id>…");
    return 2;
}

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

var services = new ServiceCollection();
services.AddBasiqFunctionsClient(options => (options.BaseUrl, options.FunctionKey) = (new Uri(api), Environment.GetEnvironmentVariable("FUNCTIONS_KEY")));
await using var provider = services.BuildServiceProvider();
var client = provider.GetRequiredService<BasiqFunctionsClient>();
var pageLength = Number("PAGE_LENGTH", 500);
var every = TimeSpan.FromMilliseconds(Number("POLL_MS", 30_000));

await using var copy = await Copy.OpenAsync(database, stop.Token);
var followers = ((string[])[first, .. others]).Distinct().ToDictionary(userId => userId, userId => new Follower(client, copy, userId, pageLength));
await using var receiver = Environment.GetEnvironmentVariable("WEBHOOK_URL") is { Length: > 0 } url
    ? Receiver.Create(new Uri(url), Environment.GetEnvironmentVariable("WEBHOOK_SECRET") ?? "", followers)
    : null;
if (receiver is not null)
    await receiver.StartAsync(stop.Token);
await Task.WhenAll(followers.Values.Select(follower => follower.FollowAsync(every, stop.Token)));
return 0;

static int Number(string name, int otherwise) =>
    Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}
