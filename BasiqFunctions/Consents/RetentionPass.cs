namespace BasiqFunctions.Consents;

/// <summary>What a pass over everybody did.</summary>
/// <param name="Users">Users that were looked after.</param>
/// <param name="Removed">Of them, those of whom data was removed.</param>
/// <param name="Failed">Of them, those with whom it failed; they are looked after again by the next pass.</param>
/// <param name="Absent">Of them, those of whom Basiq has nothing and whose data stays for now.</param>
public sealed record RetentionPass(int Users, int Removed, int Failed, int Absent = 0);
