using Deque.AxeCore.Commons;
using Microsoft.Playwright;

namespace BasiqFunctions.Tests.Console.Browser;

/// <summary>axe-core in a page, loaded once a document. (The binding for Playwright loads it at each run, and into one more page.)</summary>
internal static class Axe
{
    private const string Run =
        """
        async rule => {
          const options = { resultTypes: ['violations'], ...(rule && { runOnly: { type: 'rule', values: [rule] } }) };
          const { violations } = await axe.run(document, options);
          return violations.map(v => `${v.id}: ${v.help} (${v.nodes.slice(0, 4).map(n => n.html).join(' | ')})`);
        }
        """;

    private static readonly string Script = new BundledAxeScriptProvider().GetScript();

    /// <summary>What it complains of.</summary>
    /// <param name="page">The page as it is now.</param>
    /// <param name="rule">The only rule to check; all when null.</param>
    public static async Task<string[]> ViolationsAsync(IPage page, string? rule = null)
    {
        if (await page.EvaluateAsync<bool>("typeof axe === 'undefined'"))
            await page.EvaluateAsync(Script + "; null");
        return await page.EvaluateAsync<string[]>(Run, rule);
    }
}
