using BasiqFunctions.Users;

namespace BasiqFunctions.LocalHost.Console;

/// <summary>The origins of the console, to which a consent may return beside <see cref="ConsentOptions.ReturnUrls"/>.</summary>
internal static class ConsoleReturnUrls
{
    /// <summary>Allows the addresses that this host listens on, under each name that a browser may know them by.</summary>
    /// <param name="options">The app's options.</param>
    /// <param name="addresses">The host's addresses; one whose port is still open (<c>:0</c>) is passed over.</param>
    public static void Allow(ConsentOptions options, IEnumerable<string> addresses)
    {
        foreach (var address in addresses)
        {
            var binding = BindingAddress.Parse(address);
            if (binding.Port == 0)
                continue;
            string[] hosts = binding.Host is "localhost" or "127.0.0.1" or "[::1]" ? ["localhost", "127.0.0.1", "[::1]"] : [binding.Host];
            foreach (var host in hosts)
            {
                var url = $"{binding.Scheme}://{host}:{binding.Port}/";

                // An address such as 'http://0.0.0.0' is nobody's origin.
                if (ReturnUrls.Parse(url) is not null && !options.ReturnUrls.Contains(url))
                    options.ReturnUrls.Add(url);
            }
        }
    }
}
