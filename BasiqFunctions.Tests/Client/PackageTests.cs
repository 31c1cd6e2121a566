using System.IO.Compression;
using BasiqFunctions.Benchmarks.Processes;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Client;

/// <summary>The client is a package that a team can put on its feed.</summary>
[Trait("Category", "Infra")]
public sealed class PackageTests
{
    [Fact]
    public async Task Dotnet_pack_makes_a_package_with_the_client_its_documentation_and_what_it_needs()
    {
        using var folder = new TemporaryDirectory();
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var (code, output, errors) = await ChildProcess.RunAsync(
            new("dotnet", ["pack", Path.Combine(Repository.Root, "BasiqFunctions.Client"), "--no-build", "-c", configuration, "-o", folder.Path]), TimeSpan.FromMinutes(4));
        Assert.True(code == 0, output + errors);

        using var package = await ZipFile.OpenReadAsync(Assert.Single(Directory.GetFiles(folder.Path, "*.nupkg")));
        var names = package.Entries.Select(entry => entry.FullName).ToArray();
        Assert.Contains("lib/net10.0/BasiqFunctions.Client.dll", names);
        Assert.Contains("lib/net10.0/BasiqFunctions.Client.xml", names);
        Assert.Contains("README.md", names);
        using var description = new StreamReader(await package.GetEntry("BasiqFunctions.Client.nuspec")!.OpenAsync());
        Assert.Contains("Microsoft.Kiota.Abstractions", await description.ReadToEndAsync(), StringComparison.Ordinal);
    }
}
