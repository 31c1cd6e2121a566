using System.ComponentModel;
using System.Diagnostics;
using BasiqFunctions.LocalHost;
using BasiqFunctions.LocalHost.Demo;
using Microsoft.Extensions.Options;

try
{
    return await HostCommandLine.RunAsync(args, RunAsync, DemoCommand.RunAsync, CheckCommand.RunAsync);
}
catch (LocalHostException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 2;
}
catch (OptionsValidationException exception)
{
    foreach (var failure in exception.Failures)
        await Console.Error.WriteLineAsync(failure);
    return 2;
}

static async Task<int> RunAsync(string[] settings, bool opensBrowser)
{
    await using var host = await LocalHostApplication.StartAsync(settings);
    Banner.Write(Console.Out, host);
    if (opensBrowser)
        OpenBrowser(host.Url);
    await host.WaitForShutdownAsync();
    return 0;
}

static void OpenBrowser(Uri url)
{
    try
    {
        using var browser = Process.Start(new ProcessStartInfo(url.ToString()) { UseShellExecute = true });
    }
    catch (Win32Exception)
    {
        Console.Error.WriteLine($"No browser could be opened here: open {url} yourself.");
    }
}
