using System.Globalization;
using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Sync;

/// <summary>AnswerMfa's body.</summary>
/// <param name="Answers">What the person answered, one text for each thing that was asked; named as Basiq names it.</param>
/// <param name="JobId">The job whose bank asked; only needed where several ask at once.</param>
internal sealed record MfaAnswerRequest(
    [property: JsonPropertyName("mfa-response")] IReadOnlyList<string?>? Answers,
    [property: JsonPropertyName("jobId")] string? JobId)
{
    private const int MostAnswers = 10;
    private const int MostLength = 256;

    /// <summary>The answers, after <see cref="Refuse"/> found nothing wrong with them.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> ValidAnswers => [.. Answers!.Select(answer => answer!)];

    /// <summary>The 400 that names what is wrong; null when all is well.</summary>
    public ProblemResult? Refuse()
    {
        var errors = new FieldErrors();
        if (Answers is not { Count: > 0 and <= MostAnswers } || Answers.Any(answer => answer is not { Length: > 0 and <= MostLength }))
        {
            errors.Add(
                "mfa-response",
                string.Create(CultureInfo.InvariantCulture, $"must have 1 to {MostAnswers} texts of 1 to {MostLength} characters."));
        }

        if (JobId is not null && !RouteId.IsValid(JobId))
            errors.Add("jobId", "must have 1 to 64 characters: letters, digits, '_' and '-'.");
        return errors.Count > 0 ? Problem.InvalidInput(errors) : null;
    }

    /// <summary>Not the answers.</summary>
    public override string ToString() => nameof(MfaAnswerRequest);
}
