using System.CommandLine;
using System.CommandLine.Help;

namespace BasiqFunctions.LocalHost;

/// <summary>The command line: a command, its options, and any setting of the app as <c>--Section:Name value</c>.</summary>
internal static class HostCommandLine
{
    /// <summary>What <c>--help</c> says below the options, and what scripts may rely on.</summary>
    private const string MoreHelp = """
        Settings:
          Any setting can be given as --Section:Name value, for instance --Sync:JobTimeout 00:05:00.
          docs/configuration.md lists them.

        Exit codes:
          0    stopped, the demo fetched accounts, or the check found that everything works
          1    the demo's bank, or Basiq, did not give them, or the check found what does not work
          2    could not start: the message says what to change
          130  the demo was interrupted by Ctrl-C
        """;

    private static readonly Option<string?> Urls = new("--urls")
    {
        Description = "The address to listen on. [default: http://localhost:7071]",
        HelpName = "url",
        Recursive = true,
    };

    private static readonly Option<string?> SandboxUrl = new("--sandbox-url")
    {
        Description = "The sandbox's address. [default: the port after --urls]",
        HelpName = "url",
        Recursive = true,
    };

    private static readonly Option<string?> Data = new("--data")
    {
        Description = "The folder for LocalHost's files. [default: .local, or .local/<port> while another host uses that]",
        HelpName = "folder",
        Recursive = true,
    };

    private static readonly Option<bool> Open = new("--open") { Description = "Open the console in a browser." };

    private static readonly Option<string> Login = new("--login")
    {
        Description = "The test user who logs in at the bank.",
        HelpName = "name",
        DefaultValueFactory = _ => "gavinBelson",
    };

    /// <summary>Parses the command line and runs what it asks for.</summary>
    /// <param name="args">The words of the command line.</param>
    /// <param name="run">Runs the host on its settings; the second argument says whether to open a browser.</param>
    /// <param name="demo">Runs the demo as a test user, on the host's settings.</param>
    /// <param name="check">Checks the host's settings.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="LocalHostException">A word of the command line means nothing, or lacks its value.</exception>
    public static async Task<int> RunAsync(string[] args, Func<string[], bool, Task<int>> run, Func<string, string[], Task<int>> demo, Func<string[], Task<int>> check)
    {
        var runCommand = new Command("run", "Run every function of the app (the default).") { Open };
        var demoCommand = new Command("demo", "Walk through the whole quickstart in the terminal.") { Login };
        var checkCommand = new Command("check", "Read the settings, and say of everything that they name whether it works.");
        var root = new RootCommand("Runs the Functions app in one process, without Core Tools or Azure.") { Urls, SandboxUrl, Data, Open, runCommand, demoCommand, checkCommand };
        root.Options.OfType<HelpOption>().Single().Action = new HelpWithMore();
        foreach (var command in (Command[])[root, runCommand, demoCommand, checkCommand])
            command.TreatUnmatchedTokensAsErrors = false;
        root.SetAction((parsed, _) => run(SettingsOf(parsed), parsed.GetValue(Open)));
        runCommand.SetAction((parsed, _) => run(SettingsOf(parsed), parsed.GetValue(Open)));
        checkCommand.SetAction((parsed, _) => check(SettingsOf(parsed)));
        demoCommand.SetAction((parsed, _) => demo(parsed.GetValue(Login)!, SettingsOf(parsed)));

        var parsed = root.Parse(args, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });
        return parsed.Errors is [var error, ..]
            ? throw new LocalHostException(error.Message)
            : await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    private static string[] SettingsOf(ParseResult parsed)
    {
        List<string> settings = [];
        Add("urls", parsed.GetValue(Urls));
        Add("Sandbox:Url", parsed.GetValue(SandboxUrl));
        Add("LocalHost:StateDirectory", parsed.GetValue(Data));
        for (var i = 0; i < parsed.UnmatchedTokens.Count; i++)
        {
            var word = parsed.UnmatchedTokens[i];
            if (!word.StartsWith("--", StringComparison.Ordinal))
                throw new LocalHostException($"Unknown command '{word}'.{Nearest.Hint(word, ["run", "demo", "check"])} See --help.");
            var (name, value) = word[2..].Split('=', 2) is [var before, var after] ? (before, after) : (word[2..], null);
            if (SettingNames.Unknown(name) is { } hint)
                throw new LocalHostException($"Unknown {(name.Contains(':', StringComparison.Ordinal) ? "setting" : "option")} '--{name}'.{hint} See --help.");
            Add(name, value ?? (i + 1 < parsed.UnmatchedTokens.Count && !parsed.UnmatchedTokens[i + 1].StartsWith("--", StringComparison.Ordinal)
                ? parsed.UnmatchedTokens[++i]
                : throw new LocalHostException($"--{name} needs a value.")));
        }

        return [.. settings];

        void Add(string name, string? value)
        {
            if (value is not null)
                settings.Add($"--{name}={value}");
        }
    }

    private sealed class HelpWithMore : System.CommandLine.Invocation.SynchronousCommandLineAction
    {
        private readonly HelpAction _help = new();

        public override int Invoke(ParseResult parseResult)
        {
            // Help would call settings "additional arguments".
            parseResult.CommandResult.Command.TreatUnmatchedTokensAsErrors = true;
            var code = _help.Invoke(parseResult);
            parseResult.InvocationConfiguration.Output.WriteLine(MoreHelp);
            return code;
        }
    }
}
