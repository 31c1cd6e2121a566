using BasiqFunctions.LocalHost;
using BasiqFunctions.LocalHost.Demo;
using Microsoft.Extensions.Options;

try
{
    if (args is ["demo", .. var rest])
        return await DemoCommand.RunAsync(rest);

    await using var host = await LocalHostApplication.StartAsync(args);
    Banner.Write(Console.Out, host);
    await host.WaitForShutdownAsync();
    return 0;
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
