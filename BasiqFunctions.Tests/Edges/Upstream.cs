using System.Collections.Concurrent;
using BasiqFunctions.Basiq;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;

namespace BasiqFunctions.Tests.Edges;

/// <summary>Stands on the wire between the app and the sandbox: sees every request and may change every answer.</summary>
internal sealed class Upstream(Func<string, byte[], byte[]> change)
{
    private readonly ConcurrentQueue<Uri> _requests = [];

    /// <summary>Answers in the sandbox's place; null leaves it to the sandbox.</summary>
    public Func<string, HttpResponseMessage?> Instead { get; set; } = _ => null;

    /// <summary>Where the app has sent requests.</summary>
    public IReadOnlyCollection<Uri> Requests => _requests;

    public void Attach(IServiceCollection services) =>
        services.PostConfigure<HttpClientFactoryOptions>(
            BasiqTransport.HttpClientName,
            options => options.HttpMessageHandlerBuilderActions.Add(builder => builder.AdditionalHandlers.Add(new Wire(this, change))));

    private sealed class Wire(Upstream upstream, Func<string, byte[], byte[]> change) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            upstream._requests.Enqueue(request.RequestUri!);
            var call = $"{request.Method} {request.RequestUri!.AbsolutePath}";
            if (upstream.Instead(call) is { } instead)
                return instead;
            var answer = await base.SendAsync(request, cancellationToken);
            var content = new ByteArrayContent(change(call, await answer.Content.ReadAsByteArrayAsync(cancellationToken)));
            content.Headers.ContentType = answer.Content.Headers.ContentType;
            answer.Content = content;
            return answer;
        }
    }
}
