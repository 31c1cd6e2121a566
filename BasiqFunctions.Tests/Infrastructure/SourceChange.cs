namespace BasiqFunctions.Tests.Infrastructure;

/// <summary>A change to one file of <c>infra/</c>, by which a test breaks what it guards.</summary>
public sealed record SourceChange(string File, string Old, string New)
{
    internal async Task ApplyAsync(string root)
    {
        var path = Path.Combine(root, "infra", File);
        var text = await System.IO.File.ReadAllTextAsync(path);
        Assert.True(text.Contains(Old, StringComparison.Ordinal), $"infra/{File} no longer has '{Old}': the test must break it another way.");
        await System.IO.File.WriteAllTextAsync(path, text.Replace(Old, New, StringComparison.Ordinal));
    }
}
