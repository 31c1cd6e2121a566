namespace BasiqFunctions.Removal;

/// <summary>What a daily pass did, or a part of one.</summary>
/// <param name="Users">Users that were looked after.</param>
/// <param name="Removed">Of them, those of whom data was removed.</param>
/// <param name="Failed">Of them, those with whom it failed; they are looked after again on the next day.</param>
/// <param name="Absent">Of them, those of whom Basiq has nothing and whose data stays for now.</param>
public sealed record RetentionPass(int Users, int Removed, int Failed, int Absent = 0)
{
    internal RetentionPass Plus(RetentionPass other) =>
        new(Users + other.Users, Removed + other.Removed, Failed + other.Failed, Absent + other.Absent);
}
