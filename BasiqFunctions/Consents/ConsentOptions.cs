namespace BasiqFunctions.Consents;

/// <summary>How a person is sent to the consent page and taken back. Section <c>Consent</c>.</summary>
public sealed class ConsentOptions
{
    /// <summary>Name of the section.</summary>
    public const string Section = "Consent";

    /// <summary>
    /// Where a person may be sent after giving consent: absolute URLs, each of which stands for itself and everything below its
    /// path. https, except on the loopback address. None: no return URL is taken. A person whose state cannot be read is offered the
    /// first.
    /// </summary>
    public IList<string> ReturnUrls { get; set; } = [];

    /// <summary>How long a person may take on the consent page.</summary>
    public TimeSpan StateLifetime { get; set; } = TimeSpan.FromHours(1);
}
