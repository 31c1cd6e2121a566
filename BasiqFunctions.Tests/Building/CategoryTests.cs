using System.Reflection;
using System.Text.RegularExpressions;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Building;

/// <summary>Each test class says in one category what it needs, so that a filter runs what a developer has time for.</summary>
[Trait("Category", "Unit")]
public sealed partial class CategoryTests
{
    private static readonly string[] Categories = ["Unit", "Journeys", "Browser", "Infra"];

    [Fact]
    public void Every_test_class_has_one_category() => Assert.Empty(
        from type in typeof(CategoryTests).Assembly.GetTypes()
        where !type.IsAbstract && type.GetMethods().Any(method => method.IsDefined(typeof(FactAttribute)))
        let found = type.CustomAttributes
            .Where(a => a.AttributeType == typeof(TraitAttribute) && a.ConstructorArguments[0].Value is "Category")
            .Select(a => (string)a.ConstructorArguments[1].Value!).ToArray()
        where found.Length != 1 || !Categories.Contains(found[0])
        select $"{type.Name}: {string.Join(", ", found)}");

    [Fact]
    public void What_starts_hosts_or_programs_is_not_in_Unit() => Assert.Empty(
        from file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "BasiqFunctions.Tests"), "*Tests.cs", SearchOption.AllDirectories)
        let source = File.ReadAllText(file)
        where source.Contains("[Trait(\"Category\", \"Unit\")]", StringComparison.Ordinal) && Starts().IsMatch(source)
        select Path.GetFileName(file));

    /// <summary>That folder is built only on a machine with a browser, and the rest on every machine.</summary>
    [Fact]
    public void Nothing_outside_the_browser_s_folder_uses_what_is_in_it() => Assert.Empty(
        from file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "BasiqFunctions.Tests"), "*.cs", SearchOption.AllDirectories)
        let name = Path.GetRelativePath(Repository.Root, file).Replace(Path.DirectorySeparatorChar, '/')
        where !name.StartsWith("BasiqFunctions.Tests/Console/Browser/", StringComparison.Ordinal)
            && !name.StartsWith("BasiqFunctions.Tests/obj/", StringComparison.Ordinal)
            && OfTheBrowser().IsMatch(File.ReadAllText(file))
        select name);

    [Fact]
    public void The_filter_of_each_category_is_documented()
    {
        var contributing = File.ReadAllText(Path.Combine(Repository.Root, "CONTRIBUTING.md"));
        Assert.All(Categories, category => Assert.Contains($"dotnet test --filter Category={category}", contributing, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\b(AppUnderTest|LocalHostProcess|ChildProcess|AzuriteFixture)[. (]")]
    private static partial Regex Starts();

    [GeneratedRegex(@"\b(Console\.Browser;|Browser\.[A-Z]|Microsoft\.Playwright|Deque\.)")]
    private static partial Regex OfTheBrowser();
}
