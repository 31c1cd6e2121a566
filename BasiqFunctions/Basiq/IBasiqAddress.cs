namespace BasiqFunctions.Basiq;

/// <summary>Where Basiq is, for whoever is given a link.</summary>
public interface IBasiqAddress
{
    /// <summary>
    /// The path of a link below <c>Basiq:BaseUrl</c>, such as <c>/events/1</c>; null for a link to another scheme, host or port, or with
    /// a user in it.
    /// </summary>
    string? PathOf(string link);
}
