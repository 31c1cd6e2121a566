using System.Reflection;
using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.Tests.Building;

/// <summary>What SdkContracts declares is what the Functions worker and Durable Task packages have.</summary>
public sealed class SdkContractsTests
{
    private const string Contracts = "BasiqFunctions.SdkContracts";

    private static readonly string[] Packages = ["Microsoft.Azure.Functions.Worker", "Microsoft.DurableTask"];

    [SkippableFact]
    public void Every_declared_type_and_member_is_in_the_real_assemblies()
    {
        Skip.If(
            typeof(FunctionAttribute).Assembly.GetName().Name == Contracts,
            "Built against the contracts themselves: with FunctionsSdk=packages they are compared with the real assemblies.");

        var platform = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        var contracts = Path.Combine(AppContext.BaseDirectory, "contracts", $"{Contracts}.dll");
        using var context = new MetadataLoadContext(new PathAssemblyResolver([.. platform, contracts]));
        var declared = context.LoadFromAssemblyPath(contracts).GetExportedTypes().ToDictionary(t => t.FullName!);
        var real = platform
            .Where(path => Array.Exists(Packages, p => Path.GetFileName(path).StartsWith($"{p}.", StringComparison.Ordinal)))
            .SelectMany(path => context.LoadFromAssemblyPath(path).GetExportedTypes())
            .ToLookup(t => t.FullName!);
        var comparison = new SourceCompatibility(
            isNamed: type => !IsOfThePackages(type) || declared.ContainsKey(type.FullName!));

        Assert.NotEmpty(declared);
        var differences = declared.Values.SelectMany(type => real[type.FullName!].ToList() switch
        {
            [] => [$"{type.FullName} is not there"],
            [var only] => comparison.Differences(type, only),
            var several => [$"{type.FullName} is ambiguous: {string.Join(", ", several.Select(s => s.Assembly.GetName().Name))}"],
        }).ToList();
        Assert.True(differences is [], string.Join(Environment.NewLine, ["The real assemblies differ:", .. differences]));
    }

    private static bool IsOfThePackages(Type type) =>
        Array.Exists(Packages, p => $"{type.Assembly.GetName().Name}.".StartsWith($"{p}.", StringComparison.Ordinal));
}
