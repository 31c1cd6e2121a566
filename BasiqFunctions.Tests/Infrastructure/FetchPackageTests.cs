using System.Diagnostics;
using System.Text.Json;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Infrastructure;

/// <summary>
/// Which packages <c>infra/fetch-package.sh</c> takes, with a <c>gh</c> that answers from files: GitHub's answers in their own form, and
/// an attestation for what the test says has one.
/// </summary>
[Trait("Category", "Infra")]
public sealed class FetchPackageTests : IDisposable
{
    private const string Repository = "owner/basiq";
    private const int DeployWorkflow = 77;

    private const string Gh = """
        #!/usr/bin/env bash
        set -euo pipefail
        here=$(dirname "$0")
        case "$1 $2" in
          'run download')
            mkdir -p "$7" && cp "$here/package-$3-$5.zip" "$7/app.zip" ;;
          'attestation verify')
            [[ " $* " == *" --repo owner/basiq --signer-workflow owner/basiq/.github/workflows/deploy.yml --source-ref refs/heads/main --deny-self-hosted-runners "* ]]
            grep -qx "$(sha256sum <"$3" | cut -d ' ' -f 1)" "$here/attested" ;;
          *)
            filter='.'
            path=''
            shift
            while [ $# -gt 0 ]; do
              case $1 in
                --jq) filter=$2; shift ;;
                --paginate) ;;
                *) path=$1 ;;
              esac
              shift
            done
            jq --raw-output "$filter" "$here/$(tr '/?&=' '____' <<<"$path").json" ;;
        esac
        """;

    private static readonly string[] Tools = ["bash", "jq", "unzip"];

    private readonly TemporaryDirectory _folder = new();

    public FetchPackageTests()
    {
        Write("gh", Gh);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Path.Combine(_folder.Path, "gh"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Write("attested", "");
        Write("repos_owner_basiq_actions_workflows_deploy.yml.json", $$"""{"id":{{DeployWorkflow}}}""");
    }

    public void Dispose() => _folder.Dispose();

    [SkippableFact]
    public async Task The_package_of_a_run_of_main_is_taken()
    {
        Run(1);
        await PackageAsync(1, "app", isAttested: true);

        var (code, said) = await FetchAsync("1");

        Assert.True(code == 0, said);
        Assert.True(File.Exists(Path.Combine(_folder.Path, "fetched", "app.zip")));
    }

    [SkippableTheory]
    [InlineData("workflow", "is of another workflow")]
    [InlineData("fork", "is of code in another repository, stranger/basiq")]
    [InlineData("branch", "is of the branch feature")]
    [InlineData("pull_request", "was started by pull_request")]
    [InlineData("schedule", "was started by schedule")]
    public async Task A_package_of_any_other_run_is_refused(string how, string said)
    {
        Run(1, how);
        await PackageAsync(1, "app", isAttested: true);

        var (code, output) = await FetchAsync("1");

        Assert.Equal(1, code);
        Assert.Contains(said, output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, "fetched")));
    }

    [SkippableTheory]
    [InlineData("1/../2")]
    [InlineData("1 2")]
    [InlineData("-1")]
    [InlineData("main")]
    public async Task What_is_no_number_of_a_run_is_refused(string run)
    {
        Run(1);
        await PackageAsync(1, "app", isAttested: true);

        var (code, output) = await FetchAsync(run);

        Assert.Equal(1, code);
        Assert.Contains("is not the number of a run", output, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_package_without_an_attestation_is_refused()
    {
        Run(1);
        await PackageAsync(1, "app", isAttested: false);

        Assert.NotEqual(0, (await FetchAsync("1")).Code);
    }

    [SkippableFact]
    public async Task The_newest_package_that_worked_is_taken_and_whatever_else_bears_its_name_is_not()
    {
        Run(1);
        Run(2, "event-by-hand");
        Run(3, "fork");
        Run(4, "branch");
        Run(5, "workflow");
        Artifacts((1, 1, "main", false), (2, 2, "main", false), (3, 3, "main", false), (4, 4, "feature", false), (5, 5, "main", false), (6, 6, "main", true));
        await PackageAsync(2, "works-in-prod", isAttested: true);

        var (code, said) = await FetchAsync("last", "prod");

        Assert.True(code == 0, said);
        Assert.Contains("The package of run 2", said, StringComparison.Ordinal);
        Assert.Contains("Run 5 is of another workflow", said, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Without_a_package_that_worked_nothing_is_rolled_back()
    {
        Run(3, "fork");
        Artifacts((3, 3, "main", false));

        var (code, said) = await FetchAsync("last", "prod");

        Assert.Equal(1, code);
        Assert.Contains("No package has worked here yet", said, StringComparison.Ordinal);
    }

    private void Run(int id, string how = "") => Write(
        $"repos_owner_basiq_actions_runs_{id}.json",
        JsonSerializer.Serialize(new
        {
            id,
            workflow_id = how is "workflow" ? 5 : DeployWorkflow,
            head_branch = how is "branch" ? "feature" : "main",
            head_repository = new { full_name = how is "fork" ? "stranger/basiq" : Repository },
            @event = how switch { "pull_request" or "schedule" => how, "event-by-hand" => "workflow_dispatch", _ => "push" },
        }));

    /// <summary>Artifacts as GitHub lists them: the fork's run has another repository's id, whatever its branch is called.</summary>
    private void Artifacts(params (int Run, int Day, string Branch, bool IsExpired)[] artifacts) => Write(
        "repos_owner_basiq_actions_artifacts_name_works-in-prod_per_page_100.json",
        JsonSerializer.Serialize(new
        {
            artifacts = artifacts.Select(a => new
            {
                created_at = $"2026-01-0{a.Day}T00:00:00Z",
                expired = a.IsExpired,
                workflow_run = new { id = a.Run, head_branch = a.Branch, repository_id = 1, head_repository_id = a.Run == 3 ? 2 : 1 },
            }),
        }));

    private async Task PackageAsync(int run, string artifact, bool isAttested)
    {
        var zip = Path.Combine(_folder.Path, $"package-{run}-{artifact}.zip");
        await using (var archive = await System.IO.Compression.ZipFile.OpenAsync(zip, System.IO.Compression.ZipArchiveMode.Create))
            archive.CreateEntry("host.json");
        if (isAttested)
        {
            var hash = System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(zip));
            Write("attested", Convert.ToHexStringLower(hash) + "\n");
        }
    }

    private async Task<(int Code, string Said)> FetchAsync(params string[] run)
    {
        Skip.IfNot(
            Tools.All(tool => Environment.GetEnvironmentVariable("PATH")!.Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, tool)))),
            "bash, jq and unzip are not all installed.");
        var start = new ProcessStartInfo(
            "bash", [Path.Combine(Hosting.Repository.Root, "infra", "fetch-package.sh"), Path.Combine(_folder.Path, "fetched"), .. run]);
        start.Environment["PATH"] = $"{_folder.Path}{Path.PathSeparator}{start.Environment["PATH"]}";
        start.Environment["GH_REPO"] = Repository;
        var (code, output, errors) = await ChildProcess.RunAsync(start, TimeSpan.FromMinutes(1));
        return (code, output + errors);
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder.Path, name), text);
}
