namespace BasiqFunctions.Benchmarks.Parts;

/// <summary>How much is measured.</summary>
internal enum Effort
{
    /// <summary>What is published: minutes.</summary>
    Full,

    /// <summary>Enough to notice that something broke: seconds.</summary>
    Check,
}
