using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace BasiqFunctions.Tests.Building;

/// <summary>
/// What must hold between a commit and what runs in Azure, each breach as a sentence. It reads the files as text: their form is ours.
/// </summary>
internal sealed partial class SupplyChainRules(IReadOnlyDictionary<string, string> files)
{
    public const string Deploy = ".github/workflows/deploy.yml";
    public const string DeployEnvironment = ".github/workflows/deploy-environment.yml";
    public const string Ci = ".github/workflows/ci.yml";
    public const string Dependabot = ".github/dependabot.yml";
    public const string Properties = "Directory.Build.props";
    public const string CiRun = ".ci/run";

    private const string Fetch = "bash infra/fetch-package.sh ";

    private IEnumerable<string> Workflows => files.Keys.Where(file => file.StartsWith(".github/workflows/", StringComparison.Ordinal));

    public IReadOnlyList<string> Broken() => [.. Triggers(), .. Order(), .. Packages(), .. Rights(), .. Commands(), .. Restoring()];

    private IEnumerable<string> Triggers()
    {
        foreach (var file in Workflows)
        {
            // Both run with the rights of main, on what anybody proposes.
            if (DangerousTrigger().IsMatch(files[file]))
                yield return $"{file} is started by pull_request_target or workflow_run.";
        }

        if (!files[Ci].Contains("\n  workflow_call:\n", StringComparison.Ordinal))
            yield return "CI cannot be made part of a deployment: it has no workflow_call.";
        if (!files[Deploy].Contains("\n  push:\n    branches: [main]\n", StringComparison.Ordinal))
            yield return "What is pushed elsewhere than to main is deployed.";
    }

    /// <summary>Whatever deploys comes after CI, or is asked for by hand on main.</summary>
    private IEnumerable<string> Order()
    {
        var jobs = JobsOf(Deploy);
        if (!jobs.TryGetValue("ci", out var ci) || !ci.Contains("uses: ./.github/workflows/ci.yml\n", StringComparison.Ordinal))
            yield return "A deployment does not run CI.";
        else if (ci.Contains("continue-on-error", StringComparison.Ordinal))
            yield return "A deployment goes on when CI fails.";
        foreach (var (name, job) in jobs)
        {
            var deploys = job.Contains("deploy-environment.yml", StringComparison.Ordinal);
            var isByHand = job.Contains("github.event_name == 'workflow_dispatch' && github.ref == 'refs/heads/main'", StringComparison.Ordinal);
            if (Always().IsMatch(job))
                yield return $"The job {name} runs whatever became of the one before.";
            if (deploys && !isByHand && !Before(name).Contains("ci"))
                yield return $"The job {name} deploys what CI may not have passed.";
            if (deploys && !isByHand && !Before(name).Contains("attest"))
                yield return $"The job {name} deploys what is not attested.";
            if (job.Contains("dotnet publish", StringComparison.Ordinal) && !Before(name).Contains("ci"))
                yield return $"The job {name} makes a package of what CI may not have passed.";
        }

        IReadOnlyCollection<string> Before(string name)
        {
            List<string> before = [];
            for (var job = name; jobs.TryGetValue(job, out var text) && Needs().Match(text) is { Success: true } needs && !before.Contains(needs.Groups[1].Value);)
                before.Add(job = needs.Groups[1].Value);
            return before;
        }
    }

    /// <summary>A package is fetched, and with that judged, by one script; and no other is deployed.</summary>
    private IEnumerable<string> Packages()
    {
        foreach (var file in Workflows)
        {
            foreach (var (name, job) in JobsOf(file))
            {
                if (name != "attest" && Download().IsMatch(job))
                    yield return $"The job {name} of {file} downloads a package and does not judge where it comes from.";
                foreach (Match deployed in Deployed().Matches(job))
                {
                    if (!job[..deployed.Index].Contains($"{Fetch}{deployed.Groups[1].Value} ", StringComparison.Ordinal))
                        yield return $"The job {name} of {file} deploys {deployed.Groups[1].Value}/app.zip, which no script has judged.";
                }
            }
        }

        if (!Deployed().IsMatch(files[DeployEnvironment]))
            yield return "Nothing is deployed: the rules do not know the command.";
        if (!JobsOf(Deploy).TryGetValue("attest", out var attest) || !attest.Contains("uses: actions/attest-build-provenance@", StringComparison.Ordinal)
            || !attest.Contains("            app.zip\n", StringComparison.Ordinal))
        {
            yield return "The package is not attested.";
        }

        var package = JobsOf(Deploy).GetValueOrDefault("package", "");
        if (!package.Contains("bash build/sbom.sh ", StringComparison.Ordinal) || !package.Contains("            sbom.spdx.json\n", StringComparison.Ordinal))
            yield return "No list of what is in a package is kept beside it.";
    }

    /// <summary>Who may sign, in Azure or a package, runs nothing that a build brings along.</summary>
    private IEnumerable<string> Rights()
    {
        foreach (var file in Workflows)
        {
            foreach (var (name, job) in JobsOf(file))
            {
                if (SigningRight().IsMatch(job) && Builds().IsMatch(job))
                    yield return $"The job {name} of {file} builds, and may sign or sign in.";
                if (job.Contains("attestations: write", StringComparison.Ordinal) && (file, name) is not (Deploy, "attest"))
                    yield return $"The job {name} of {file} may write attestations.";
            }
        }
    }

    /// <summary>What a person can type into a title, a branch or a field is no part of a command.</summary>
    private IEnumerable<string> Commands() =>
        from file in Workflows
        from Match run in Run().Matches(files[file])
        where run.Value.Contains("${{", StringComparison.Ordinal)
        select $"{file} puts an expression into a command: {run.Value.Trim().Split('\n')[0].Trim()}";

    private IEnumerable<string> Restoring()
    {
        var properties = XDocument.Parse(files[Properties]).Descendants("PropertyGroup").Elements().ToLookup(p => p.Name.LocalName, p => p.Value);
        if (!properties["NuGetAuditMode"].SequenceEqual(["all"]))
            yield return "Packages that come along with others are not audited: NuGetAuditMode is not all.";
        if (!properties["RestorePackagesWithLockFile"].SequenceEqual(["true"]))
            yield return "There are no lock files: RestorePackagesWithLockFile is not true.";
        foreach (var file in Workflows)
        {
            foreach (Match command in Publish().Matches(files[file]))
            {
                if (!command.Value.Contains("-p:RestoreLockedMode=true", StringComparison.Ordinal))
                    yield return $"{file} publishes what the lock file does not name: {command.Value.Trim()}";
            }
        }

        if (!files[CiRun].Contains("dotnet build --no-restore -p:RunAnalyzersDuringBuild=true", StringComparison.Ordinal))
            yield return "CI does not run the analyzers.";
        if (!files[CiRun].Contains("dotnet restore --locked-mode", StringComparison.Ordinal))
            yield return "CI restores what the lock files do not name.";
        foreach (var ecosystem in new[] { "nuget", "github-actions", "dotnet-sdk" })
        {
            if (!files[Dependabot].Contains($"package-ecosystem: {ecosystem}\n", StringComparison.Ordinal))
                yield return $"Nobody asks for newer versions of {ecosystem}.";
        }
    }

    private Dictionary<string, string> JobsOf(string file)
    {
        var text = files[file];
        var jobs = text[(text.IndexOf("\njobs:\n", StringComparison.Ordinal) + 7)..];
        var starts = JobName().Matches(jobs);
        return starts.Select((start, i) => (
                start.Groups[1].Value,
                Text: jobs[start.Index..(i + 1 < starts.Count ? starts[i + 1].Index : jobs.Length)]))
            .ToDictionary(job => job.Value, job => job.Text);
    }

    [GeneratedRegex(@"\b(pull_request_target|workflow_run)\b")]
    private static partial Regex DangerousTrigger();

    [GeneratedRegex(@"\b(always|cancelled)\(\)")]
    private static partial Regex Always();

    [GeneratedRegex(@"^    needs: ([\w-]+)$", RegexOptions.Multiline)]
    private static partial Regex Needs();

    [GeneratedRegex(@"gh run download|actions/download-artifact")]
    private static partial Regex Download();

    [GeneratedRegex(@"config-zip [^\n]*--src (\w+)/app\.zip")]
    private static partial Regex Deployed();

    [GeneratedRegex("id-token: write|attestations: write")]
    private static partial Regex SigningRight();

    [GeneratedRegex(@"\bdotnet (build|publish|test|run|tool|restore)\b|\.ci/run|build/sbom\.sh|npm (ci|install)")]
    private static partial Regex Builds();

    [GeneratedRegex(@"^ *(?:- )?run: (?:\|\n(?:(?: {10,}[^\n]*)?\n)+|[^\n]*\n)", RegexOptions.Multiline)]
    private static partial Regex Run();

    [GeneratedRegex(@"dotnet publish [^\n]*")]
    private static partial Regex Publish();

    [GeneratedRegex(@"^  ([\w-]+):\n", RegexOptions.Multiline)]
    private static partial Regex JobName();
}
