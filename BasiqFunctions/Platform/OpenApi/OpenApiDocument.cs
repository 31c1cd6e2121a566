using System.Text.Json;
using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Platform.OpenApi;

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
