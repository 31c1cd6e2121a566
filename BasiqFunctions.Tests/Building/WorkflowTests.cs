using System.Text.RegularExpressions;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Building;

/// <summary>What the build server runs is what was reviewed.</summary>
[Trait("Category", "Infra")]
public sealed partial class WorkflowTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, ".github", "workflows");

    public static TheoryData<string> Workflows =>
        [.. Directory.EnumerateFiles(Folder).Where(f => Path.GetExtension(f) is ".yml" or ".yaml").Select(f => Path.GetFileName(f))];

    [Theory]
    [MemberData(nameof(Workflows))]
    public void Every_action_is_pinned_by_commit_and_says_its_version(string workflow)
    {
        var uses = File.ReadLines(Path.Combine(Folder, workflow)).Where(line => Uses().IsMatch(line)).ToList();

        Assert.NotEmpty(uses);
        Assert.All(uses, line => Assert.Matches(PinnedUses(), line));
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void A_workflow_may_read_the_code_and_nothing_more(string workflow)
    {
        var text = File.ReadAllText(Path.Combine(Folder, workflow));

        Assert.Contains("\npermissions:\n  contents: read\n\n", text, StringComparison.Ordinal);

        // A job that deploys also fetches the package of a run with its attestation, which one job makes, and has GitHub vouch for it in Azure.
        HashSet<string> allowed = workflow.StartsWith("deploy", StringComparison.Ordinal)
            ? ["contents: read", "actions: read", "attestations: read", "attestations: write", "id-token: write"]
            : ["contents: read"];
        Assert.All(
            Permissions().Matches(text),
            permissions => Assert.Subset(allowed, permissions.Value.Split('\n').Skip(1).Select(line => line.Trim()).Where(line => line.Length > 0).ToHashSet()));
    }

    [GeneratedRegex(@"^\s*(-\s+)?[""']?uses[""']?\s*:")]
    private static partial Regex Uses();

    [GeneratedRegex(@"^\s*(- )?uses: ([\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\./\.github/workflows/[\w-]+\.yml)$")]
    private static partial Regex PinnedUses();

    [GeneratedRegex(@"^([ ]*)permissions:.*\n(?:\1[ ]+.*\n)*", RegexOptions.Multiline)]
    private static partial Regex Permissions();
}
