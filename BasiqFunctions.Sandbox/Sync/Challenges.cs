using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Sandbox.Platform;

namespace BasiqFunctions.Sandbox.Sync;

/// <summary><c>POST /jobs/{jobId}/mfa</c>: the answer to a bank that asks for a code.</summary>
internal sealed class Challenges(SandboxState state, Milestones milestones, TimeProvider clock)
{
    /// <summary>The right answer of every challenge. Not a secret: the challenge itself says it.</summary>
    public const string Code = "246810";

    /// <summary>With this many wrong answers the bank gives up.</summary>
    public const int MostWrongAnswers = 3;

    public void Map(ApiRoutes routes) => routes.OfJob("POST", "/jobs/{jobId}/mfa", Answer);

    /// <summary>The challenge in the shape of the OpenAPI's example of a job.</summary>
    public static void Write(Utf8JsonWriter writer, JobRecord job, string self)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "mfa"u8);
        writer.WriteString("method"u8, "token"u8);
        writer.WriteString("description"u8, "A code has been sent to your mobile. Please enter it."u8);
        writer.WriteStartArray("input"u8);
        writer.WriteStringValue($"We sent a code by SMS to your mobile number XXXX XXX 006 (in this sandbox it is always {Code}).");
        writer.WriteEndArray();
        writer.WriteNumber("expiryMs"u8, (long)job.Challenge!.Expiry.TotalMilliseconds);
        writer.WriteStartObject("links"u8);
        writer.WriteString("response"u8, $"{self}/mfa");
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>The OpenAPI asks for a CLIENT_ACCESS token here. A SERVER_ACCESS token opens everything.</summary>
    private async Task Answer(HttpContext context, JobRecord job)
    {
        if (job.Challenge is null || state.User(job.UserId) is not { } user)
        {
            await Answers.NotFound(context);
            return;
        }

        if (await ReadAsync(context) is not { } answers)
        {
            await Answers.BadContent(context, "mfa-response must be a list of texts.");
            return;
        }

        var isRight = answers is [var answer]
            && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(answer.Trim()), Encoding.UTF8.GetBytes(Code));
        if (Take(user, job.Id, isRight) is not { } taken)
        {
            await Answers.BadParameter(context, "jobId", "The job does not wait for an answer.");
            return;
        }

        if (!taken)
        {
            await Answers.Error(
                context, 400, new ApiError("invalid-credentials", "Invalid credentials.", "The code is not right.", "mfa-response"));
            return;
        }

        await Answers.Json(context, 202, (job, context.BaseUrl()), static (writer, x) => Jobs.WriteShort(writer, x.job, x.Item2));
    }

    /// <summary>Records an answer; null when none is waited for.</summary>
    private bool? Take(UserState user, string jobId, bool isRight)
    {
        lock (user.Gate)
        {
            var now = clock.GetUtcNow();
            if (user.Deleted
                || state.Job(jobId) is not { Challenge: { } challenge } job
                || new JobProgress(job, now).Challenge != StepStatus.InProgress)
            {
                return null;
            }

            var wrong = challenge.WrongAnswers + (isRight ? 0 : 1);
            var isOver = isRight || wrong >= MostWrongAnswers;
            job = job with
            {
                Challenge = challenge with { WrongAnswers = wrong, Answered = isOver ? now : null, Refused = isOver && !isRight },
            };
            state.Record(new StateLine { Job = job });
            if (isOver)
                milestones.Watch(job);
            return isRight;
        }
    }

    private static async Task<string[]?> ReadAsync(HttpContext context)
    {
        if (!context.Request.HasJsonContentType())
            return null;
        try
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
            return body.RootElement.ValueKind == JsonValueKind.Object
                && body.RootElement.TryGetProperty("mfa-response", out var given)
                && given.ValueKind == JsonValueKind.Array
                && given.EnumerateArray().All(a => a.ValueKind == JsonValueKind.String)
                    ? [.. given.EnumerateArray().Select(a => a.GetString()!)]
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
