using System.Globalization;
using BasiqFunctions.Sandbox.Platform;

namespace BasiqFunctions.Sandbox.Control;

/// <summary>
/// Counts every request, and gives the API the latency and faults that the options ask for. The n-th request after start or
/// reset draws the n-th number of a sequence that the seed fixes. The consent page and <c>/_sandbox</c> are never touched.
/// </summary>
internal sealed class Faults(LiveOptions options, Stats stats, TimeProvider clock)
{
    private long _drawn;
    private long _truncated;

    public void Restart()
    {
        Interlocked.Exchange(ref _drawn, 0);
        Interlocked.Exchange(ref _truncated, 0);
    }

    public async Task Invoke(HttpContext context, RequestDelegate next)
    {
        var path = context.Request.Path;
        if (path.StartsWithSegments("/_sandbox"))
        {
            await next(context);
            return;
        }

        (context.GetEndpoint()?.Metadata.GetMetadata<Stats.Counter>() ?? stats.CounterOf("other")).Increment();
        try
        {
            var current = options.Current;
            if (path.StartsWithSegments("/home") || !IsUnder(path, current.FaultsUnder))
                await next(context);
            else
                await WithFaults(context, next, current);
        }
        finally
        {
            stats.CountStatus(context.Response.StatusCode);
        }
    }

    private static bool IsUnder(PathString path, string? prefix) =>
        string.IsNullOrEmpty(prefix) || path.Value!.StartsWith(prefix, StringComparison.OrdinalIgnoreCase);

    private async Task WithFaults(HttpContext context, RequestDelegate next, SandboxOptions current)
    {
        if (current.Latency > TimeSpan.Zero)
            await Task.Delay(current.Latency, clock, context.RequestAborted);

        var share = current.ShareOf429 + current.ShareOf500 + current.ShareOfTruncatedBodies;
        if (share <= 0 && current.OddAnswers.Count == 0)
        {
            await next(context);
            return;
        }

        var number = (ulong)Interlocked.Increment(ref _drawn);
        var draw = Chance.Unit(Chance.Mix((uint)current.Seed, number));
        if (draw < current.ShareOf429)
        {
            var seconds = (long)Math.Ceiling(current.RetryAfter.TotalSeconds);
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
            await Answers.Error(
                context, 429, new ApiError("too-many-requests", "Too many requests.", "The request limit is reached. Try again later."));
        }
        else if (draw < current.ShareOf429 + current.ShareOf500)
        {
            await Answers.Error(
                context,
                500,
                new ApiError("internal-server-error", "Internal Server error.", "Internal Server error. Contact support."));
        }
        else if (draw < share)
        {
            await Truncated(context, next);
        }
        else if (OddKind(context.Request, current, number) is { } kind)
        {
            await OddAnswers.PlayAsync(kind, context, next);
        }
        else
        {
            await next(context);
        }
    }

    private static string? OddKind(HttpRequest request, SandboxOptions current, ulong number)
    {
        foreach (var (kind, share) in current.OddAnswers)
        {
            if (OddAnswers.Concerns(kind, request) && Chance.Unit(Chance.Mix(Chance.Mix((uint)current.Seed, kind), number)) < share)
                return kind;
        }

        return null;
    }

    private async Task Truncated(HttpContext context, RequestDelegate next)
    {
        using var whole = await OddAnswers.BufferAsync(context, next);
        var half = whole.GetBuffer().AsMemory(0, (int)(whole.Length / 2));
        if (half.IsEmpty)
            return;
        var endsCleanly = Interlocked.Increment(ref _truncated) % 2 == 1;
        context.Response.ContentLength = endsCleanly ? half.Length : whole.Length;
        await context.Response.Body.WriteAsync(half, context.RequestAborted);
        if (endsCleanly)
            return;
        await context.Response.Body.FlushAsync(context.RequestAborted);
        context.Abort();
    }
}

/// <summary>Reproducible randomness without state: a number is a function of what it is for.</summary>
internal static class Chance
{
    /// <summary>Mixes a value into a key (the finaliser of SplitMix64).</summary>
    public static ulong Mix(ulong key, ulong value)
    {
        var z = key + (0x9E3779B97F4A7C15 * (value + 1));
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    public static ulong Mix(ulong key, string text)
    {
        foreach (var c in text)
            key = Mix(key, c);
        return Mix(key, (ulong)text.Length);
    }

    /// <summary>From 0 up to but not including 1.</summary>
    public static double Unit(ulong number) => (number >> 11) * (1.0 / (1UL << 53));

    /// <summary>From <paramref name="from"/> up to and including <paramref name="to"/>.</summary>
    public static long Between(ulong number, long from, long to) => from + (long)(number % (ulong)(to - from + 1));
}
