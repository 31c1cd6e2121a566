using System.Text;

namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>Requests as they go over the wire.</summary>
internal static class HttpText
{
    public static string Get(string path, string headers = "") => $"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n{headers}\r\n";

    public static string Post(string path, string? contentType = null, string body = "", string headers = "") =>
        $"POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
        + (contentType is null ? "" : $"Content-Type: {contentType}\r\n")
        + $"{headers}Content-Length: {Encoding.ASCII.GetByteCount(body)}\r\n\r\n{body}";
}
