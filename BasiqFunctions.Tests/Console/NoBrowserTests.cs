namespace BasiqFunctions.Tests.Console;

/// <summary>Stands for the tests in a browser where there is none.</summary>
[Trait("Category", "Unit")]
public sealed class NoBrowserTests
{
    [SkippableFact]
    public void The_console_works_in_a_browser() => Skip.If(
        true, "No Chromium is installed at /usr/bin/chromium (Debian: apt-get install chromium), and ChromiumPath names none.");
}
