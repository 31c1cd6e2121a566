using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using BasiqFunctions.Sandbox;
using BasiqFunctions.Sandbox.Control;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.FaultTests;

/// <summary>
/// The sandbox, with a layer in front of it that injects faults, and that keeps the books: what was sent that policy forbids, and
/// how often tokens were asked for.
/// </summary>
internal sealed class FaultyUpstream : IStartupFilter, IAsyncDisposable
{
    /// <summary>Marks the suite's own requests: neither harmed nor counted.</summary>
    public const string OwnRequest = "x-fault-suite";

    /// <summary>Basiq's own jobs are lost once or twice, not for good.</summary>
    private const int MostLossesOfAJob = 2;

    private const string EmailItem = "email of the user to be created";

    private static readonly TimeSpan AskedPause = TimeSpan.FromSeconds(1);

    /// <summary>What clocks and schedulers may disagree about.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(50);

    private readonly Tally _tally;
    private readonly Random _random;
    private readonly Lock _gate = new();
    private readonly HashSet<string> _revoked = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _created = [];
    private readonly ConcurrentDictionary<string, byte> _maybeCreated = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (long At, int Generation)> _overloaded = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _losses = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string UserId, string Kind), byte> _odd = [];
    private WebApplication? _sandbox;
    private string? _lastToken;
    private long _lastMint;
    private int _generation;
    private int _serverTokens;
    private int _clientTokens;
    private int _spoiltServerTokens;
    private int _spoiltClientTokens;
    private int _requests;

    private FaultyUpstream(int seed, Tally tally) => (_random, _tally) = (new Random(seed), tally);

    public Uri Url => new(_sandbox!.Urls.First());

    public bool IsCalm { get; set; }

    /// <summary>No token is given, and none is good.</summary>
    public bool RefusesKey { get; set; }

    public int Requests => _requests;

    /// <summary>Requests for server tokens, and those among them that a fault took the answer from.</summary>
    public (int Sent, int Spoilt) ServerTokens => (_serverTokens, _spoiltServerTokens);

    public (int Sent, int Spoilt) ClientTokens => (_clientTokens, _spoiltClientTokens);

    public static async Task<FaultyUpstream> StartAsync(int seed, Tally tally)
    {
        var upstream = new FaultyUpstream(seed, tally);
        upstream._sandbox = SandboxApplication.Create([], builder =>
        {
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Services.AddSingleton<IStartupFilter>(upstream);
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Sandbox:Seed"] = $"{seed}",
                ["Sandbox:AccountsPerUser"] = "3",
                ["Sandbox:TransactionsPerAccount"] = "700",
                ["Sandbox:JobDuration"] = "00:00:02",
            });
        });
        await upstream._sandbox.StartAsync();
        return upstream;
    }

    /// <summary>The e-mail of every user that the sandbox has created; twice of one that exists twice.</summary>
    public IReadOnlyCollection<string> Emails() => _created;

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(request => context => InvokeAsync(context, inner => NoteCreatedAsync(inner, request)));
        next(app);
    };

    /// <summary>Whether something of a user's was answered in this odd way.</summary>
    public bool WasOdd(string userId, string kind) => _odd.ContainsKey((userId, kind));

    /// <summary>LocalHost was started anew: what it was asked to wait for, it cannot know any more.</summary>
    public void HostRestarted() => Interlocked.Increment(ref _generation);

    /// <summary>
    /// Revokes the server token in use. Not within some seconds after it was minted: whoever finds a token's replacement refused
    /// at once is meant to stop asking.
    /// </summary>
    public bool TryRevoke()
    {
        lock (_gate)
        {
            if (_lastToken is null || Stopwatch.GetElapsedTime(_lastMint) < TimeSpan.FromSeconds(6) || !_revoked.Add(_lastToken))
                return false;
        }

        _tally.Injected(Fault.Revoked);
        return true;
    }

    public ValueTask DisposeAsync() => _sandbox?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        if (request.Path.StartsWithSegments("/home") || request.Headers.ContainsKey(OwnRequest))
        {
            await next(context);
            return;
        }

        Interlocked.Increment(ref _requests);
        CheckPause(request);
        if (RefusesKey)
        {
            await OddAnswers.PlayAsync(request.Path == "/token" ? OddAnswers.TokenRefused : OddAnswers.TokenExpired, context, next);
            return;
        }

        if (IsRevoked(request))
        {
            _tally.Injected(Fault.Refused);
            await (Draw(0, 2) == 0
                ? AnswerAsync(context, 401, "invalid-authorization-token")
                : OddAnswers.PlayAsync(OddAnswers.TokenExpired, context, next));
            return;
        }

        var fault = IsCalm ? null : Draw() ?? DrawOdd(request);
        if (fault is not null)
            _tally.Injected(fault);
        await KeepBooksAsync(request, fault);
        switch (fault)
        {
            case Fault.Latency:
                await Task.Delay(Draw(50, 400));
                await next(context);
                break;
            case Fault.Overload:
                if (Watches(request))
                    _overloaded[KeyOf(request)] = (Stopwatch.GetTimestamp(), _generation);
                context.Response.Headers.RetryAfter = "1";
                await AnswerAsync(context, 429, "too-many-requests");
                break;
            case Fault.ServerError:
                await AnswerAsync(context, 500, "internal-server-error");
                break;
            case Fault.ResetBefore:
                context.Abort();
                break;
            case Fault.Truncated or Fault.Broken or Fault.ResetAfter:
                await SpoilAsync(context, next, fault);
                break;
            case not null:
                await OddAnswers.PlayAsync(Fault.Odd[fault].Kind, context, next);
                break;
            default:
                await next(context);
                break;
        }
    }

    /// <summary>One of the odd answers that concern a request, or none.</summary>
    private string? DrawOdd(HttpRequest request)
    {
        foreach (var (fault, (kind, share)) in Fault.Odd)
        {
            if (!OddAnswers.Concerns(kind, request))
                continue;
            lock (_gate)
            {
                if (_random.NextDouble() >= share || (kind == OddAnswers.LostJob && !Loses(request.Path)))
                    continue;
            }

            if (request.Path.Value!.Split('/') is ["", "users", var userId, ..])
                _odd[(userId, kind)] = 0;
            return fault;
        }

        return null;
    }

    private bool Loses(string job)
    {
        var losses = _losses.GetValueOrDefault(job);
        _losses[job] = losses + 1;
        return losses < MostLossesOfAJob;
    }

    private async Task NoteCreatedAsync(HttpContext context, RequestDelegate next)
    {
        await next(context);
        if (context.Items.TryGetValue(EmailItem, out var email) && context.Response.StatusCode == StatusCodes.Status201Created)
            _created.Enqueue((string)email!);
    }

    private string? Draw()
    {
        double drawn;
        lock (_gate)
            drawn = _random.NextDouble();
        return drawn switch
        {
            < 0.03 => Fault.Overload,
            < 0.07 => Fault.ServerError,
            < 0.09 => Fault.Truncated,
            < 0.11 => Fault.Broken,
            < 0.13 => Fault.ResetBefore,
            < 0.15 => Fault.ResetAfter,
            < 0.25 => Fault.Latency,
            _ => null,
        };
    }

    private int Draw(int from, int to)
    {
        lock (_gate)
            return _random.Next(from, to);
    }

    /// <summary>Counts tokens, and watches that no user whose creation may have happened is asked for again.</summary>
    private async Task KeepBooksAsync(HttpRequest request, string? fault)
    {
        if (!HttpMethods.IsPost(request.Method))
            return;
        if (request.Path == "/token")
        {
            var isServer = (await BodyOfAsync(request)).Contains("SERVER_ACCESS", StringComparison.Ordinal);
            var isSpoilt = fault is not (null or Fault.Latency) && KindOf(fault) is not OddAnswers.ByteOrderMark;
            Interlocked.Increment(ref isServer ? ref _serverTokens : ref _clientTokens);
            if (isSpoilt)
                Interlocked.Increment(ref isServer ? ref _spoiltServerTokens : ref _spoiltClientTokens);
            if (isServer)
            {
                lock (_gate)
                    _lastMint = Stopwatch.GetTimestamp();
            }
        }
        else if (request.Path == "/users")
        {
            using var body = JsonDocument.Parse(await BodyOfAsync(request));
            var email = body.RootElement.GetProperty("email").GetString()!;
            request.HttpContext.Items[EmailItem] = email;
            if (_maybeCreated.ContainsKey(email))
                _tally.Violated($"The creation of {email} was sent again although it may have happened.");
            if (fault is not Fault.Overload && KindOf(fault) is not (OddAnswers.BareForbidden or OddAnswers.HtmlForbidden))
                _maybeCreated.TryAdd(email, 0);
        }
    }

    /// <summary>A request that was asked to wait must not come back sooner, unless from a new process.</summary>
    private void CheckPause(HttpRequest request)
    {
        if (Watches(request)
            && _overloaded.TryRemove(KeyOf(request), out var asked)
            && asked.Generation == _generation
            && Stopwatch.GetElapsedTime(asked.At) is var waited
            && waited < AskedPause - Tolerance)
        {
            _tally.Violated($"GET {request.Path} came back after {waited.TotalMilliseconds:N0} ms, though Retry-After asked for 1 s.");
        }
    }

    private static string? KindOf(string? fault) => fault is not null && Fault.Odd.TryGetValue(fault, out var odd) ? odd.Kind : null;

    private static bool Watches(HttpRequest request) =>
        request.Path.StartsWithSegments("/jobs") || request.Path.Value!.EndsWith("/transactions", StringComparison.Ordinal);

    private static string KeyOf(HttpRequest request) => $"{request.Path}{request.QueryString}";

    private bool IsRevoked(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        if (request.Headers.Authorization.ToString() is not { } header || !header.StartsWith(Scheme, StringComparison.Ordinal))
            return false;
        lock (_gate)
        {
            var token = header[Scheme.Length..];
            if (_revoked.Contains(token))
                return true;
            _lastToken = token;
            return false;
        }
    }

    private static async Task<string> BodyOfAsync(HttpRequest request)
    {
        request.EnableBuffering();
        using var reader = new StreamReader(request.Body, Encoding.UTF8, leaveOpen: true);
        var body = await reader.ReadToEndAsync();
        request.Body.Position = 0;
        return body;
    }

    private static Task AnswerAsync(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new
        {
            type = "list",
            correlationId = "fault-suite",
            data = new[] { new { type = "error", code, title = code, detail = "Injected." } },
        });
    }

    /// <summary>The request is carried out; its answer does not arrive, or half of it.</summary>
    private static async Task SpoilAsync(HttpContext context, RequestDelegate next, string fault)
    {
        using var whole = await OddAnswers.BufferAsync(context, next);
        if (fault is not Fault.ResetAfter && whole.Length > 0)
        {
            var half = whole.GetBuffer().AsMemory(0, (int)whole.Length / 2);
            context.Response.ContentLength = fault is Fault.Truncated ? half.Length : whole.Length;
            await context.Response.Body.WriteAsync(half);
            await context.Response.Body.FlushAsync();
        }

        if (fault is not Fault.Truncated)
            context.Abort();
    }
}
