using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.LocalHost.Console;

/// <summary>The knobs of the sandbox that the console turns; what is null stays as it is.</summary>
/// <param name="LatencyMilliseconds">How long each of its answers waits.</param>
/// <param name="ShareOf429">Share of its answers that are 429, 0 to 1.</param>
/// <param name="ShareOf500">Share of its answers that are 500, 0 to 1.</param>
/// <param name="ShareOfTruncatedBodies">Share of its answers that are cut short, 0 to 1.</param>
/// <param name="JobSeconds">How long a new job takes.</param>
/// <param name="JobsNeverEnd">Whether new jobs stay in their second step.</param>
internal sealed record SandboxKnobs(
    double? LatencyMilliseconds,
    double? ShareOf429,
    double? ShareOf500,
    double? ShareOfTruncatedBodies,
    double? JobSeconds,
    bool? JobsNeverEnd)
{
    private const double MostLatency = 60_000;
    private const double MostJobSeconds = 3_600;

    /// <summary>What is wrong with these values, field by field.</summary>
    public FieldErrors Check()
    {
        var errors = new FieldErrors();
        Require("latencyMilliseconds", LatencyMilliseconds, MostLatency, "must be from 0 to 60,000.");
        Require("shareOf429", ShareOf429, 1, "must be from 0 to 1.");
        Require("shareOf500", ShareOf500, 1, "must be from 0 to 1.");
        Require("shareOfTruncatedBodies", ShareOfTruncatedBodies, 1, "must be from 0 to 1.");
        Require("jobSeconds", JobSeconds, MostJobSeconds, "must be from 0 to 3,600.");
        return errors;

        void Require(string field, double? value, double most, string rule)
        {
            if (value is { } given && !(given >= 0 && given <= most))
                errors.Add(field, rule);
        }
    }
}
