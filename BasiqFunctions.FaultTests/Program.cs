using BasiqFunctions.FaultTests;

FaultRunOptions options;
try
{
    options = FaultRunOptions.Parse(args);
}
catch (ArgumentException exception)
{
    await Console.Error.WriteLineAsync($"{exception.Message} Usage: {FaultRunOptions.Usage}");
    return 2;
}

Console.WriteLine($"Seed {options.Seed}: {options.Syncs} syncs, at most {options.Minutes} minutes.");
var (table, violations) = await new FaultRun(options).RunAsync();
Console.WriteLine();
Console.Write(table);
if (options.Out is { } path)
    await File.WriteAllTextAsync(path, table);
foreach (var violation in violations)
    await Console.Error.WriteLineAsync($"VIOLATED: {violation}");
if (violations.Count > 0)
    await Console.Error.WriteLineAsync($"Repeat with --seed {options.Seed} --syncs {options.Syncs}.");
return violations.Count == 0 ? 0 : 1;
