namespace BasiqFunctions.Sandbox.Users;

/// <summary>A person who banks at the sandbox's institutions; the same login works at each of them.</summary>
/// <param name="LoginId">What to type as login.</param>
/// <param name="Password">What to type as password. Not a secret: the consent page prints it.</param>
/// <param name="Shows">What connecting as this user demonstrates, in a few words.</param>
/// <param name="AlwaysFails">The bank lets this user in at the page, and the job then fails.</param>
public sealed record TestUser(string LoginId, string Password, string Shows, bool AlwaysFails);
