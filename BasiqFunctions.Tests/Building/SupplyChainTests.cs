using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Infrastructure;

namespace BasiqFunctions.Tests.Building;

/// <summary>Nothing is deployed that CI did not pass, and the rules that say so notice when that ends.</summary>
[Trait("Category", "Infra")]
public sealed class SupplyChainTests
{
    /// <summary>One mistake each, and what is said of it.</summary>
    public static TheoryData<string, string, string, string> Mistakes => new()
    {
        { SupplyChainRules.Deploy, "    needs: ci\n", "", "The job package makes a package of what CI may not have passed." },
        { SupplyChainRules.Deploy, "    needs: ci\n", "", "The job prod deploys what CI may not have passed." },
        { SupplyChainRules.Deploy, "    needs: attest\n", "    needs: package\n", "The job dev deploys what is not attested." },
        { SupplyChainRules.Deploy, "    needs: dev\n", "", "The job prod deploys what CI may not have passed." },
        { SupplyChainRules.Deploy, "    needs: package\n", "    needs: package\n    if: ${{ always() }}\n", "The job attest runs whatever became of the one before." },
        { SupplyChainRules.Deploy, "    uses: ./.github/workflows/ci.yml\n", "    uses: ./.github/workflows/other.yml\n", "A deployment does not run CI." },
        { SupplyChainRules.Deploy, "    uses: ./.github/workflows/ci.yml\n", "    uses: ./.github/workflows/ci.yml\n    continue-on-error: true\n", "A deployment goes on when CI fails." },
        { SupplyChainRules.Deploy, "github.event_name == 'workflow_dispatch' && github.ref == 'refs/heads/main'", "github.event_name == 'workflow_dispatch'", "The job by-hand deploys what CI may not have passed." },
        { SupplyChainRules.Deploy, "\n  push:\n    branches: [main]\n", "\n  push:\n", "What is pushed elsewhere than to main is deployed." },
        { SupplyChainRules.Deploy, "            app.zip\n            sbom.spdx.json\n\n", "            sbom.spdx.json\n\n", "The package is not attested." },
        { SupplyChainRules.Deploy, "bash build/sbom.sh", "echo", "No list of what is in a package is kept beside it." },
        { SupplyChainRules.Deploy, "-p:RestoreLockedMode=true ", "", "publishes what the lock file does not name" },
        { SupplyChainRules.Deploy, "  package:\n    name: Package\n", "  package:\n    name: Package\n    permissions:\n      attestations: write\n", "The job package of .github/workflows/deploy.yml may write attestations." },
        { SupplyChainRules.Deploy, "  package:\n    name: Package\n", "  package:\n    name: Package\n    permissions:\n      id-token: write\n", "The job package of .github/workflows/deploy.yml builds, and may sign or sign in." },
        { SupplyChainRules.Deploy, "\"## $ENVIRONMENT\"", "\"## ${{ matrix.environment }}\"", "puts an expression into a command" },
        { SupplyChainRules.DeployEnvironment, "bash infra/fetch-package.sh new \"$PACKAGE_RUN\"", "gh run download \"$PACKAGE_RUN\" --name app --dir new", "downloads a package and does not judge where it comes from" },
        { SupplyChainRules.DeployEnvironment, "bash infra/fetch-package.sh new \"$PACKAGE_RUN\"", "true", "deploys new/app.zip, which no script has judged" },
        { SupplyChainRules.DeployEnvironment, "bash infra/fetch-package.sh old last", "true", "deploys old/app.zip, which no script has judged" },
        { SupplyChainRules.Ci, "  workflow_call:\n", "", "CI cannot be made part of a deployment" },
        { SupplyChainRules.Ci, "  pull_request:\n", "  pull_request_target:\n", "is started by pull_request_target or workflow_run" },
        { SupplyChainRules.Properties, "<NuGetAuditMode>all<", "<NuGetAuditMode>direct<", "NuGetAuditMode is not all" },
        { SupplyChainRules.Properties, "<RestorePackagesWithLockFile>true<", "<RestorePackagesWithLockFile>false<", "There are no lock files" },
        { SupplyChainRules.CiRun, "dotnet restore --locked-mode", "dotnet restore", "CI restores what the lock files do not name." },
        { SupplyChainRules.CiRun, "-p:RunAnalyzersDuringBuild=true", "", "CI does not run the analyzers." },
        { SupplyChainRules.Dependabot, "package-ecosystem: github-actions\n", "package-ecosystem: npm\n", "Nobody asks for newer versions of github-actions." },
    };

    [Fact]
    public void Nothing_is_deployed_that_CI_did_not_pass() => Findings.None(new SupplyChainRules(Files()).Broken());

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void Each_mistake_is_noticed(string file, string old, string @new, string finding)
    {
        var files = Files();
        Assert.True(files[file].Contains(old, StringComparison.Ordinal), $"{file} no longer has '{old}': the test must break it another way.");
        files[file] = files[file].Replace(old, @new, StringComparison.Ordinal);

        Assert.Contains(new SupplyChainRules(files).Broken(), broken => broken.Contains(finding, StringComparison.Ordinal));
    }

    /// <summary>Whatever reaches production is named with its hash, and nothing of the feed that it came from.</summary>
    [Fact]
    public void The_lock_files_name_hashes_and_no_feed()
    {
        var locks = Directory.EnumerateFiles(Repository.Root, "packages.lock.json", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)).ToList();

        Assert.Contains(Path.Combine(Repository.Root, "BasiqFunctions", "packages.lock.json"), locks);
        Assert.Contains("\"contentHash\"", File.ReadAllText(Path.Combine(Repository.Root, "BasiqFunctions", "packages.lock.json")), StringComparison.Ordinal);
        Assert.All(locks, file => Assert.DoesNotContain("://", File.ReadAllText(file), StringComparison.Ordinal));
    }

    private static Dictionary<string, string> Files() =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, ".github", "workflows"))
            .Select(file => $".github/workflows/{Path.GetFileName(file)}")
            .Concat([SupplyChainRules.Dependabot, SupplyChainRules.Properties, SupplyChainRules.CiRun])
            .ToDictionary(file => file, file => File.ReadAllText(Path.Combine(Repository.Root, file)));
}
