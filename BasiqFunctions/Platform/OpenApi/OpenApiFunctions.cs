using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.Platform.OpenApi;

/// <summary>The HTTP function that describes the others.</summary>
public static class OpenApiFunctions
{
    /// <summary>Describes this API: 200 and an OpenAPI 3.1 document.</summary>
    [Function("GetOpenApi")]
    [Answers(StatusCodes.Status200OK, typeof(OpenApiDocument))]
    public static IResult GetOpenApi([HttpTrigger(AuthorizationLevel.Function, "get", "head", Route = "openapi.json")] HttpRequest request) =>
        new OpenApiDocument();
}
