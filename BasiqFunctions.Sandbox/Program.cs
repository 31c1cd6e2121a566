using BasiqFunctions.Sandbox;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

try
{
    await using var app = SandboxApplication.Create(args);
    await app.StartAsync();
    var options = app.Services.GetRequiredService<IOptions<SandboxOptions>>().Value;
    var url = app.Urls.First();
    Console.WriteLine($"Sandbox of the Basiq API on {url}, API key '{options.ApiKey}', consent page {url}/home?token=<client token>");
    await app.WaitForShutdownAsync();
    return 0;
}
catch (OptionsValidationException exception)
{
    foreach (var failure in exception.Failures)
        await Console.Error.WriteLineAsync(failure);
    return 1;
}
catch (Exception exception) when (exception is FormatException or ArgumentOutOfRangeException or InvalidOperationException)
{
    // An address that nothing can listen on, or a value that is no number where one is due.
    await Console.Error.WriteLineAsync(exception.Message);
    return 1;
}
catch (IOException exception) when (exception.InnerException is AddressInUseException)
{
    await Console.Error.WriteLineAsync($"{exception.Message} Choose another address with --urls http://localhost:<port>.");
    return 1;
}
