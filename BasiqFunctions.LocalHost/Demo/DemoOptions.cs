namespace BasiqFunctions.LocalHost.Demo;

/// <summary>What <c>-- demo</c> is told: as whom to log in at the bank. Everything else is a setting of the host.</summary>
internal sealed record DemoOptions(string Login, string[] HostArguments)
{
    private const string DefaultLogin = "gavinBelson";

    /// <exception cref="LocalHostException"><c>--login</c> has no value.</exception>
    public static DemoOptions Parse(IReadOnlyList<string> args)
    {
        var login = DefaultLogin;
        List<string> rest = [];
        for (var i = 0; i < args.Count; i++)
        {
            if (args[i] is not "--login")
                rest.Add(args[i]);
            else if (i + 1 < args.Count)
                login = args[++i];
            else
                throw new LocalHostException("--login needs the name of a test user, such as --login bighead.");
        }

        return new DemoOptions(login, [.. rest]);
    }
}
