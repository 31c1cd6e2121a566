using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Kiota.Abstractions.Authentication;
using Microsoft.Kiota.Http.HttpClientLibrary;

namespace BasiqFunctions.Client;

/// <summary>Makes <see cref="BasiqFunctionsClient"/> a service.</summary>
public static class BasiqFunctionsClientRegistration
{
    /// <summary>
    /// Adds <see cref="BasiqFunctionsClient"/>. What may be repeated safely is repeated up to four times when the app cannot be reached, is
    /// overloaded or fails: reads, PUT, DELETE, and a POST that has an <c>Idempotency-Key</c>. Another POST is repeated only after a 429, which
    /// did nothing. A <c>Retry-After</c> of up to 30 s is waited for; a longer one ends the call with its problem.
    /// </summary>
    /// <returns>The client's <see cref="HttpClient"/>, for what else it shall do.</returns>
    public static IHttpClientBuilder AddBasiqFunctionsClient(this IServiceCollection services, Action<BasiqFunctionsClientOptions> configure)
    {
        services.AddOptions<BasiqFunctionsClientOptions>().Configure(configure)
            .Validate(options => options.BaseUrl is { IsAbsoluteUri: true }, "BaseUrl is required: the address of the API, up to and including /api.");
        services.AddTransient(provider => Create(
            provider.GetRequiredService<IHttpClientFactory>().CreateClient(nameof(BasiqFunctionsClient)),
            provider.GetRequiredService<IOptions<BasiqFunctionsClientOptions>>().Value));
        var http = services.AddHttpClient(nameof(BasiqFunctionsClient));

        // The app redirects no call of the client's; followed, a redirect would take the key along.
        http.ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false });
        http.AddResilienceHandler("retries", Retries.Configure);

        // The default of 100 s would end all attempts together, and hide the last one's problem.
        http.ConfigureHttpClient(client => client.Timeout = Retries.Longest);
        return http;
    }

    private static BasiqFunctionsClient Create(HttpClient http, BasiqFunctionsClientOptions options)
    {
        const string Header = "x-functions-key";
        var url = options.BaseUrl!;
        IAuthenticationProvider authentication = new AnonymousAuthenticationProvider();
        if (options.FunctionKey is { Length: > 0 } key)
        {
            // The provider sends it over https only.
            if (url.IsLoopback)
                http.DefaultRequestHeaders.Add(Header, key);
            else
                authentication = new ApiKeyAuthenticationProvider(key, Header, ApiKeyAuthenticationProvider.KeyLocation.Header, url.Host);
        }

        return new BasiqFunctionsClient(new HttpClientRequestAdapter(authentication, httpClient: http) { BaseUrl = url.ToString().TrimEnd('/') });
    }
}
