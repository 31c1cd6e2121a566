using System.Text.Json;
using System.Text.RegularExpressions;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Sync;
using BasiqFunctions.Tests.Hosting;
using BasiqFunctions.Tests.Sandbox;

namespace BasiqFunctions.Tests.Sync;

/// <summary>Each of Basiq's codes says what the person must do, and the documentation says the same.</summary>
[Trait("Category", "Unit")]
public sealed partial class JobCodesTests
{
    [Theory]
    [InlineData("invalid-credentials", NextAction.Reconnect)]
    [InlineData("invalid-username-or-password", NextAction.Reconnect)]
    [InlineData("locked-account", NextAction.Reconnect)]
    [InlineData("multi-factor-authentication", NextAction.Reconnect)]
    [InlineData("multifactor-required", NextAction.Reconnect)]
    [InlineData("invalid-connection", NextAction.Reconnect)]
    [InlineData("authorization-failed", NextAction.Reconnect)]
    [InlineData("account-not-accessible-requires-user-action", NextAction.ActAtBank)]
    [InlineData("user-action-required", NextAction.ActAtBank)]
    [InlineData("service-unavailable", NextAction.RetryLater)]
    [InlineData("system-unavailable", NextAction.RetryLater)]
    [InlineData("maintenance", NextAction.RetryLater)]
    [InlineData("maintenance-error", NextAction.RetryLater)]
    [InlineData("institution-not-available", NextAction.RetryLater)]
    [InlineData("connector-error", NextAction.RetryLater)]
    [InlineData("job-timed-out", NextAction.RetryLater)]
    [InlineData("unknown-error", NextAction.ContactSupport)]
    [InlineData("bank-statement-invalid", NextAction.ContactSupport)]
    public void A_code_says_what_the_person_must_do(string code, NextAction action)
    {
        var job = Failed(code);
        Assert.Equal((action, code), (job.NextAction!.Value, job.FailureCode));
    }

    [Theory]
    [InlineData("INVALID_CREDENTIALS", "invalid-credentials", NextAction.Reconnect)]
    [InlineData("Locked-Account", "locked-account", NextAction.Reconnect)]
    [InlineData("user_action_required", "user-action-required", NextAction.ActAtBank)]
    [InlineData(" Service Unavailable ", "service-unavailable", NextAction.RetryLater)]
    public void A_code_is_known_however_it_is_spelled(string code, string known, NextAction action)
    {
        var job = Failed(code);
        Assert.Equal((action, known), (job.NextAction!.Value, SyncOutcome.FailureCodeOf(job)));
        Assert.Equal(code, job.FailureCode);
    }

    [Theory]
    [InlineData("code-of-tomorrow")]
    [InlineData("invalid-credentials-2")]
    [InlineData("")]
    [InlineData(null)]
    public void An_unknown_code_goes_to_support_and_is_shown_as_it_came(string? code)
    {
        var job = Failed(code);
        Assert.Equal((NextAction.ContactSupport, code), (job.NextAction!.Value, job.FailureCode));
    }

    [Fact]
    public void The_first_failed_step_that_gives_a_code_decides()
    {
        var job = SyncedJob.From(new Job
        {
            Id = new("j"),
            Steps =
            [
                new JobStep { Title = "verify-credentials", Status = "failed" },
                new JobStep { Title = "retrieve-accounts", Status = "failed", Result = new JobStepResult { Code = "maintenance" } },
            ],
        });
        Assert.Equal(NextAction.RetryLater, job.NextAction);
    }

    [Fact]
    public void The_documentation_lists_every_code_with_its_next_action()
    {
        var names = Enum.GetValues<NextAction>().ToDictionary(action => JsonSerializer.SerializeToElement(action).GetString()!);
        var documented = CodeRow().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "job-codes.md")))
            .ToDictionary(row => row.Groups["code"].Value, row => names[row.Groups["action"].Value]);
        Assert.Equal(JobCodes.Actions.OrderBy(pair => pair.Key, StringComparer.Ordinal), documented.OrderBy(pair => pair.Key, StringComparer.Ordinal));
    }

    [SkippableFact]
    public void Every_code_that_Basiq_lists_for_a_job_is_known()
    {
        var path = Path.Combine(Repository.Root, "..", "shared", "basiq", "openapi-core.json");
        Skip.IfNot(File.Exists(path), OpenApiContract.WhyMissing);
        using var description = JsonDocument.Parse(File.ReadAllText(path));
        var listed = Codes(description.RootElement).Where(code => code is not "success").ToHashSet();
        Assert.Contains("job-timed-out", listed);
        Assert.All(listed, code => Assert.Equal(code, JobCodes.Known(code)));
    }

    /// <summary>The values of every <c>code</c> that belongs to a failed job.</summary>
    private static IEnumerable<string> Codes(JsonElement element)
    {
        if (element.ValueKind is JsonValueKind.Array)
            return element.EnumerateArray().SelectMany(Codes);
        if (element.ValueKind is not JsonValueKind.Object)
            return [];
        return element.EnumerateObject().SelectMany(property =>
            property.Name == "code"
            && property.Value.ValueKind is JsonValueKind.Object
            && property.Value.TryGetProperty("enum", out var values)
            && property.Value.TryGetProperty("description", out var text)
            && text.GetString()!.Contains("failed job", StringComparison.OrdinalIgnoreCase)
                ? values.EnumerateArray().Select(value => value.GetString()!)
                : Codes(property.Value));
    }

    private static SyncedJob Failed(string? code) => SyncedJob.From(new Job
    {
        Id = new("j"),
        Steps = [new JobStep { Title = "verify-credentials", Status = "failed", Result = new JobStepResult { Code = code } }],
    });

    [GeneratedRegex(@"^\| `(?<code>[a-z-]+)` \| .* \| `(?<action>[a-z-]+)` \|$", RegexOptions.Multiline)]
    private static partial Regex CodeRow();
}
