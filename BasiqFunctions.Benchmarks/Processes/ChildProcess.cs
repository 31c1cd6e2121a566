using System.Diagnostics;

namespace BasiqFunctions.Benchmarks.Processes;

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
            // A process that it started may outlive it and hold on to its output.
            await process.WaitForExitAsync(end.Token);
            return (process.ExitCode, await output.WaitAsync(end.Token), await errors.WaitAsync(end.Token));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            var said = Task.WhenAll(output, errors);
            await Task.WhenAny(said, Task.Delay(TimeSpan.FromSeconds(5), CancellationToken.None));
            throw new TimeoutException(
                $"{start.FileName} did not end within {patience}; it said: {(said.IsCompletedSuccessfully ? string.Concat(said.Result) : "(cannot be read)")}");
        }
    }
}
