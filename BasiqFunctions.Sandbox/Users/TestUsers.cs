namespace BasiqFunctions.Sandbox.Users;

/// <summary>The test users of the sandbox's banks.</summary>
public static class TestUsers
{
    /// <summary>All of them, in the order the consent page lists them.</summary>
    public static IReadOnlyList<TestUser> All { get; } = [.. Persona.All.Select(p => p.User)];

    /// <summary>The test user of a login, letter case aside; null when there is none.</summary>
    public static TestUser? Find(string loginId) =>
        All.FirstOrDefault(u => string.Equals(u.LoginId, loginId, StringComparison.OrdinalIgnoreCase));
}
