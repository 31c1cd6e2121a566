using System.Diagnostics;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>Runs a program to its end, without standard input, and takes what it says.</summary>
internal static class ChildProcess
{
    /// <exception cref="System.ComponentModel.Win32Exception">There is no such program.</exception>
    /// <exception cref="TimeoutException">It did not end in time, and was killed; the message has what it said until then.</exception>
    public static async Task<(int Code, string Output, string Errors)> RunAsync(ProcessStartInfo start, TimeSpan patience)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var end = new CancellationTokenSource(patience);
        try
        {
            await process.WaitForExitAsync(end.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{start.FileName} did not end within {patience}; it said: {await output}{await errors}");
        }

        return (process.ExitCode, await output, await errors);
    }
}
