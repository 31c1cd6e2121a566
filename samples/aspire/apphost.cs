#:sdk Aspire.AppHost.Sdk@13.6.4
#:property ManagePackageVersionsCentrally=false
#:property RestorePackagesWithLockFile=false
#:property TreatWarningsAsErrors=false
#:property NoWarn=$(NoWarn);ASPIRE010

// The sandbox, the app and the sample that follows a user's changes, with Aspire's dashboard over them. No Docker: each is a process.
//
//     dotnet run samples/aspire/apphost.cs                  LocalHost, with its data in files
//     dotnet run samples/aspire/apphost.cs -- --azurite     the same on Azurite, which needs Node
//     dotnet run samples/aspire/apphost.cs -- --func        the real Functions host and Azurite, which needs Core Tools as well

using System.Runtime.CompilerServices;

var root = Path.GetFullPath(Path.Combine(Folder(), "..", ".."));
var isFunc = args.Contains("--func");
var builder = DistributedApplication.CreateBuilder(args);
var api = Number("API_PORT", 7071);
var basiq = Number("SANDBOX_PORT", 7072);
var apiUrl = $"http://localhost:{api}";
var basiqUrl = $"http://localhost:{basiq}";

// What is built already need not be built again, and a second one beside this needs a folder of its own.
string[] run = ["run", .. (string[])(Environment.GetEnvironmentVariable("NO_BUILD") is null ? [] : ["--no-build"]), "--project"];
var folder = Environment.GetEnvironmentVariable("DATA_FOLDER");
string[] data = folder is null ? [] : ["--data", folder];
var copy = Path.Combine(folder ?? ".local", "copy.db");

// One after another: the first builds what the others share.
var sandbox = builder
    .AddExecutable("sandbox", "dotnet", root, [.. run, "BasiqFunctions.Sandbox", "--", "--urls", basiqUrl, "--Sandbox:ReturnUrl", $"{apiUrl}/api/consent/return"])
    .WithHttpEndpoint(port: basiq, isProxied: false)
    .WithHttpHealthCheck("/_sandbox/options");
var app = isFunc
    ? builder.AddExecutable("app", "func", Path.Combine(root, "BasiqFunctions"), "start", "--port", $"{api}")
    : builder.AddExecutable("app", "dotnet", root, [.. run, "BasiqFunctions.LocalHost", "--", "--urls", apiUrl, .. data]);

// Aspire gives each its address for traces, metrics and logs.
app.WithHttpEndpoint(port: api, isProxied: false)
    .WithHttpHealthCheck("/api/health")
    .WithEnvironment("Basiq__BaseUrl", basiqUrl)
    .WithEnvironment("Basiq__ConsentUrl", basiqUrl + "/home")
    .WithEnvironment("Basiq__ApiKey", "NWE0ZGIwYzUtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAxOmMwZmZlZTAwLTExMTEtNDExMS04MTExLTAwMDAwMDAwMDAwMQ==")
    .WithOtlpExporter()
    .WaitFor(sandbox);
if (isFunc)
    app.WithEnvironment("FUNCTIONS_WORKER_RUNTIME", "dotnet-isolated");
if (isFunc || args.Contains("--azurite"))
{
    var azurite = builder.AddExecutable("azurite", "npx", root, "--yes", "azurite@3.37.0", "--silent", "--skipApiVersionCheck", "--location", ".local/azurite");
    app.WithEnvironment("AzureWebJobsStorage", "UseDevelopmentStorage=true").WaitFor(azurite);
}

// The dashboard asks for the user: the page of a user has the id in its address.
var user = builder.AddParameter("user-id");
builder.AddExecutable("keep-in-step", "dotnet", root, [.. run, "samples/csharp", "--", $"{apiUrl}/api", $"Data Source={copy}"])
    .WithArgs(user)
    .WaitFor(app);

builder.Build().Run();

static int Number(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), out var number) ? number : otherwise;

static string Folder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
