using BasiqFunctions.LocalHost;

namespace BasiqFunctions.Tests.LocalHost;

[Trait("Category", "Unit")]
public sealed class CommandLineTests
{
    private readonly List<string> _ran = [];

    [Theory]
    [InlineData("", "run")]
    [InlineData("run", "run")]
    [InlineData("--open", "run and open")]
    [InlineData("run --open --urls http://localhost:7081", "run and open --urls=http://localhost:7081")]
    [InlineData("--urls=http://localhost:7081 --sandbox-url http://localhost:9 --data here", "run --urls=http://localhost:7081 --Sandbox:Url=http://localhost:9 --LocalHost:StateDirectory=here")]
    [InlineData("--Sync:PageSize 100 --sync:pagesize=200", "run --Sync:PageSize=100 --sync:pagesize=200")]
    [InlineData("--Consent:ReturnUrls:0=https://app.example/a=b", "run --Consent:ReturnUrls:0=https://app.example/a=b")]
    [InlineData("--Sandbox:OddAnswers:html-403 0.1", "run --Sandbox:OddAnswers:html-403=0.1")]
    [InlineData("--Logging:LogLevel:Default Debug --environment Staging", "run --Logging:LogLevel:Default=Debug --environment=Staging")]
    [InlineData("check --Sync:PageSize=100", "check --Sync:PageSize=100")]
    [InlineData("demo", "demo as gavinBelson")]
    [InlineData("demo --login bighead --Sandbox:JobDuration 00:00:01", "demo as bighead --Sandbox:JobDuration=00:00:01")]
    public async Task A_command_line_runs_what_it_names_with_its_settings(string line, string ran)
    {
        Assert.Equal(0, await RunAsync(line));

        Assert.Equal([ran], _ran);
    }

    [Theory]
    [InlineData("dmo", "Unknown command 'dmo'. Did you mean 'demo'? See --help.")]
    [InlineData("demo serve", "Unknown command 'serve'. See --help.")]
    [InlineData("--ulrs http://localhost:1", "Unknown option '--ulrs'. Did you mean '--urls'? See --help.")]
    [InlineData("--Snyc:PageSize 3", "Unknown setting '--Snyc:PageSize'. Did you mean 'Sync'? See --help.")]
    [InlineData("--Sync:PagSize=3", "Unknown setting '--Sync:PagSize'. Did you mean 'Sync:PageSize'? See --help.")]
    [InlineData("--Sync:PageSize", "--Sync:PageSize needs a value.")]
    [InlineData("--Sync:PageSize --open", "--Sync:PageSize needs a value.")]
    [InlineData("demo --login", "Required argument missing for option: '--login'.")]
    public async Task What_means_nothing_is_one_line_with_the_nearest_right_word(string line, string said)
    {
        var refusal = await Assert.ThrowsAsync<LocalHostException>(() => RunAsync(line));

        Assert.Equal(said, refusal.Message);
        Assert.Empty(_ran);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("demo --help")]
    [InlineData("--version")]
    public async Task Help_and_version_run_nothing(string line)
    {
        Assert.Equal(0, await RunAsync(line));

        Assert.Empty(_ran);
    }

    [Fact]
    public void Every_setting_of_the_documentation_is_one_that_the_command_line_takes() =>
        Assert.All(
            SettingNames.Sections.SelectMany(section => section.Value.GetProperties().Where(p => p.CanWrite).Select(p => $"{section.Key}:{p.Name}")),
            name => Assert.Null(SettingNames.Unknown(name)));

    private Task<int> RunAsync(string line) => HostCommandLine.RunAsync(
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        (settings, opens) => Ran(opens ? "run and open" : "run", settings),
        (login, settings) => Ran($"demo as {login}", settings),
        settings => Ran("check", settings));

    private Task<int> Ran(string what, string[] settings)
    {
        _ran.Add(string.Join(' ', [what, .. settings]));
        return Task.FromResult(0);
    }
}
