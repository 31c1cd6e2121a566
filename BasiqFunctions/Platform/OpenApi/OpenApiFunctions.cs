using System.Text.Json;
using BasiqFunctions.Platform.Http;
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

/// <summary>The OpenAPI document. It is made from the functions when the app is tested and is part of its assembly.</summary>
internal sealed record OpenApiDocument : RawJsonResult
{
    private const string Resource = "openapi.json";

    private static readonly Lazy<byte[]> Content = new(Read);

    protected override Task WriteAsync(Utf8JsonWriter writer, CancellationToken cancellationToken)
    {
        // Our own file, valid by the tests.
        writer.WriteRawValue(Content.Value, skipInputValidation: true);
        return Task.CompletedTask;
    }

    private static byte[] Read()
    {
        using var stream = typeof(OpenApiDocument).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The assembly lacks its resource {Resource}.");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
