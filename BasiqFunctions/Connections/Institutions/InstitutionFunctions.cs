using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.OpenApi;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.Connections.Institutions;

/// <summary>The HTTP functions of the banks there are.</summary>
public sealed class InstitutionFunctions(InstitutionCatalog catalog)
{
    /// <summary>Lists the banks that can be connected: 200.</summary>
    [Function("ListInstitutions")]
    [Parameter("country", "Only those of this country, such as Australia.")]
    [Parameter("tier", "Only those of this tier: 1, the largest banks, to 4.")]
    [Parameter("q", "Only those whose name or id has all of these words, or beginnings and parts of words.")]
    [Parameter("method", "Only those that can be reached so: open-banking, web, pdf or csv. Status, stage and duration are that method's.")]
    [Parameter("If-None-Match", EntityTags.Meaning, IsHeader = true)]
    [Answers(StatusCodes.Status200OK, typeof(InstitutionList), Headers = ["ETag"])]
    [Answers(StatusCodes.Status304NotModified)]
    [FailsWith(AsksBasiq = true)]
    public async Task<IResult> ListInstitutions(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "institutions")] HttpRequest request, CancellationToken cancellation)
    {
        var errors = new FieldErrors();
        var query = InstitutionQuery.Read(request.Query, errors);
        if (errors.Count > 0)
            return Problem.InvalidInput(errors);
        var directory = await catalog.GetAsync(cancellation);
        return EntityTags.IsKnown(request, directory.Tag) ? new NotModified(directory.Tag) : new EncodedJsonResult(directory.Json(query), directory.Tag);
    }

    /// <summary>Reads one of them: 200.</summary>
    [Function("GetInstitution")]
    [Parameter("If-None-Match", EntityTags.Meaning, IsHeader = true)]
    [Answers(StatusCodes.Status200OK, typeof(Institution), Headers = ["ETag"])]
    [Answers(StatusCodes.Status304NotModified)]
    [FailsWith(ProblemCodes.InstitutionNotFound, AsksBasiq = true)]
    public async Task<IResult> GetInstitution(
        [HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "institutions/{institutionId}")] HttpRequest request,
        string institutionId,
        CancellationToken cancellation)
    {
        var directory = await catalog.GetAsync(cancellation);
        if (directory.Find(institutionId) is not { } bank)
            return Problem.NotFound(ProblemCodes.InstitutionNotFound, "Basiq knows no bank of this id.");
        return EntityTags.IsKnown(request, directory.Tag) ? new NotModified(directory.Tag) : new EncodedJsonResult(directory.Json(bank), directory.Tag);
    }
}
