using System.Globalization;
using System.Text.Json.Serialization;
using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Sync;

/// <summary>AnswerMfa's body.</summary>
/// <param name="Answers">What the person answered, one text for each thing that was asked; named as Basiq names it.</param>
/// <param name="JobId">The job whose bank asked; only needed where several ask at once.</param>
internal sealed record MfaAnswerRequest(
    [property: JsonPropertyName("mfa-response")] IReadOnlyList<string?>? Answers,
    [property: JsonPropertyName("jobId")] string? JobId)
{
    /// <summary>The answers, after <see cref="MfaAnswerValidator"/> found nothing wrong with them.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> ValidAnswers => [.. Answers!.Select(answer => answer!)];

    /// <summary>Not the answers.</summary>
    public override string ToString() => nameof(MfaAnswerRequest);
}

/// <summary>What AnswerMfa takes.</summary>
internal sealed class MfaAnswerValidator : AbstractValidator<MfaAnswerRequest>
{
    private const int MostAnswers = 10;
    private const int MostLength = 256;

    public MfaAnswerValidator()
    {
        RuleFor(request => request.Answers)
            .Must(answers => answers is { Count: > 0 and <= MostAnswers } && answers.All(answer => answer is { Length: > 0 and <= MostLength }))
            .WithMessage(string.Create(CultureInfo.InvariantCulture, $"must have 1 to {MostAnswers} texts of 1 to {MostLength} characters."))
            .OverridePropertyName("mfa-response");
        RuleFor(request => request.JobId).IsId();
    }
}
