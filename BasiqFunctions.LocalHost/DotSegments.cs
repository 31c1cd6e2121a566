using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.Http.Features;

namespace BasiqFunctions.LocalHost;

/// <summary>
/// Refuses paths with <c>.</c> or <c>..</c> in them, encoded or not. A server takes such segments out before it routes, which
/// would make <c>DELETE users/u/syncs/..</c> a <c>DELETE users/u</c>.
/// </summary>
internal static class DotSegments
{
    public static void RefuseDotSegments(this WebApplication app) =>
        app.Use((context, next) => HasAny(context.Features.Get<IHttpRequestFeature>()!.RawTarget)
            ? Problem.InvalidInput("path", "must not have '.' or '..' as a segment.").ExecuteAsync(context)
            : next(context));

    internal static bool HasAny(ReadOnlySpan<char> target)
    {
        var end = target.IndexOfAny('?', '#');
        var path = end < 0 ? target : target[..end];
        if (!path.ContainsAny('.', '%'))
            return false;
        foreach (var range in path.Split('/'))
        {
            var segment = path[range];
            if (segment.Length is 0 or > 6)
                continue;
            if (Uri.UnescapeDataString(segment) is "." or "..")
                return true;
        }

        return false;
    }
}
