namespace BasiqFunctions.Users;

/// <summary>What UpdateUser takes.</summary>
internal sealed class UpdateUserValidator : PersonValidator;
