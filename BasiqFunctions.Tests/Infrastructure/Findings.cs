namespace BasiqFunctions.Tests.Infrastructure;

internal static class Findings
{
    /// <summary>Fails with every sentence in full.</summary>
    public static void None(IEnumerable<string> sentences)
    {
        var found = sentences.ToList();
        Assert.True(found.Count == 0, string.Join(Environment.NewLine, found));
    }
}
