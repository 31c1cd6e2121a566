using BasiqFunctions.Consents;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.LocalHost.Console;

/// <summary>The origins of the console, to which a consent may return beside <see cref="ConsentOptions.ReturnUrls"/>.</summary>
internal static class ConsoleReturnUrls
{
    /// <summary>Allows what the options do and the addresses that this host listens on, under each name that a browser may know them by.</summary>
    /// <param name="options">The app's options.</param>
    /// <param name="addresses">The host's addresses, now that it listens.</param>
    public static ReturnUrls Beside(ConsentOptions options, IEnumerable<string> addresses)
    {
        List<string> allowed = [.. options.ReturnUrls];
        foreach (var address in addresses)
        {
            var binding = BindingAddress.Parse(address);
            string[] hosts = binding.Host is "localhost" or "127.0.0.1" or "[::1]" ? ["localhost", "127.0.0.1", "[::1]"] : [binding.Host];

            // An address such as 'http://0.0.0.0' is nobody's origin, and not taken for one.
            allowed.AddRange(hosts.Select(host => $"{binding.Scheme}://{host}:{binding.Port}/"));
        }

        return new ReturnUrls(Options.Create(new ConsentOptions { ReturnUrls = allowed }));
    }
}
