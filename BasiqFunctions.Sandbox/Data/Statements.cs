using BasiqFunctions.Sandbox.Control;
using BasiqFunctions.Sandbox.Platform;
using BasiqFunctions.Sandbox.Sync;
using BasiqFunctions.Sandbox.Users;

namespace BasiqFunctions.Sandbox.Data;

/// <summary>
/// <c>POST /users/{userId}/statements</c>: an uploaded statement makes a job that names no connection as its source. What the
/// statement says is a test user's: the one whose login is the name of the file, as <c>Gilfoyle.pdf</c>, or the first. That of a
/// user who always fails cannot be read.
/// </summary>
internal sealed class Statements(SandboxState state, Jobs jobs, LiveOptions options, TimeProvider clock)
{
    public void Map(ApiRoutes routes) => routes.OfUser("POST", "/users/{userId}/statements", Upload);

    private async Task Upload(HttpContext context, UserState user)
    {
        if (context.Request.ContentType?.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase) is not true)
        {
            await Answers.BadContent(context, "Send the statement as multipart/form-data.");
            return;
        }

        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        if (form.Files.GetFile("statement") is not { Length: > 0 } statement)
        {
            await Answers.MissingParameter(context, "statement", "The statement is required.");
            return;
        }

        switch (Institution.Find(form["institutionId"]))
        {
            case null:
                await Answers.BadParameter(context, "institutionId", "There is no such institution.");
                return;
            case { Type: "Test Bank" }:
                await Answers.Error(
                    context,
                    400,
                    new ApiError(
                        "institution-not-supported",
                        "Institution not supported.",
                        "The sandbox institution takes no statements.",
                        "institutionId"));
                return;
            case var institution:
                await Accept(context, user, institution, Persona.Find(Path.GetFileNameWithoutExtension(statement.FileName)) ?? Persona.All[0]);
                return;
        }
    }

    private Task Accept(HttpContext context, UserState user, Institution institution, Persona persona)
    {
        JobRecord job;
        lock (user.Gate)
        {
            if (user.Deleted)
                return Answers.NotFound(context);
            var current = options.Current;
            var record = new ConnectionRecord(
                Guid.NewGuid().ToString(),
                user.Id,
                institution.Id,
                persona.User.LoginId,
                ConsentId: "",
                clock.GetUtcNow(),
                current.Seed,
                current.AccountsPerUser,
                current.TransactionsPerAccount)
            {
                IsStatement = true,
            };
            state.Record(new StateLine { Connection = record });
            job = jobs.Start(user.Connection(record.Id)!).Job;
        }

        return Answers.Json(context, 202, (job, context.BaseUrl()), static (writer, x) => Jobs.WriteShort(writer, x.job, x.Item2));
    }
}
