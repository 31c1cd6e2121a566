namespace BasiqFunctions.Basiq;

/// <summary>For whom it is an answer that Basiq does not know what it was asked about.</summary>
internal static class UnknownToBasiq
{
    /// <summary>What Basiq answers; null where it does not know what it was asked about.</summary>
    public static async Task<T?> OrNullAsync<T>(this Task<T> asked)
        where T : class
    {
        try
        {
            return await asked;
        }
        catch (BasiqException e) when (e.Failure.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>Null when Basiq did it, the exception when Basiq does not have what it was to be done to.</summary>
    public static async Task<BasiqException?> NotFoundAsync(this Task asked)
    {
        try
        {
            await asked;
            return null;
        }
        catch (BasiqException e) when (e.Failure.IsNotFound)
        {
            return e;
        }
    }

    /// <summary>What Basiq does not know when it is to remove it, and has when it is asked for it, has not been removed.</summary>
    public static BasiqException Contradicted(this BasiqException unknown) =>
        new(unknown.Failure with { Kind = BasiqFailureKind.UnusableAnswer });
}
