using System.Globalization;
using System.Text;

namespace BasiqFunctions.Benchmarks.Reports;

/// <summary>A plot of cost against size as SVG: both axes logarithmic, so that a cost that grows with the size is a slope and one that does not is level.</summary>
internal static class Plot
{
    private const int Width = 720;
    private const int Height = 400;
    private const int Left = 70;
    private const int Right = 190;
    private const int Top = 50;
    private const int Bottom = 60;

    private static readonly string[] Colours = ["#0b63c5", "#b4530a", "#2f7d32"];

    /// <param name="title">What it shows.</param>
    /// <param name="across">What the horizontal axis is of, with the unit.</param>
    /// <param name="up">What the vertical axis is of, with the unit.</param>
    /// <param name="series">The lines, each with its points; sizes and costs above zero.</param>
    /// <exception cref="ArgumentException">There is nothing to draw, or something that has no logarithm.</exception>
    public static string Of(string title, string across, string up, params IReadOnlyList<(string Name, (double Size, double Cost)[] Points)> series)
    {
        (double Size, double Cost)[] all = [.. series.SelectMany(s => s.Points)];
        if (all.Length == 0 || all.Any(p => p.Size <= 0 || p.Cost <= 0))
            throw new ArgumentException("A plot needs points, all above zero.", nameof(series));
        var (x0, x1) = Decades(all.Select(p => p.Size));
        var (y0, y1) = Decades(all.Select(p => p.Cost));
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" role="img" font-family="system-ui, sans-serif" font-size="13">
            <title>{Escape(title)}</title>
            <rect width="{Width}" height="{Height}" fill="#ffffff"/>
            <text x="{Left}" y="26" font-size="16" font-weight="600">{Escape(title)}</text>
            <text x="{Left + ((Width - Left - Right) / 2)}" y="{Height - 14}" text-anchor="middle">{Escape(across)}</text>
            <text transform="translate(18 {Top + ((Height - Top - Bottom) / 2)}) rotate(-90)" text-anchor="middle">{Escape(up)}</text>

            """);
        for (var decade = x0; decade <= x1; decade++)
        {
            var x = Across(Math.Pow(10, decade));
            svg.Append(CultureInfo.InvariantCulture, $"""<path d="M{x:F1} {Top}V{Height - Bottom}" stroke="#d7dbe0"/><text x="{x:F1}" y="{Height - Bottom + 20}" text-anchor="middle">{Math.Pow(10, decade):#,0.###}</text>""").Append('\n');
        }

        for (var decade = y0; decade <= y1; decade++)
        {
            var y = Up(Math.Pow(10, decade));
            svg.Append(CultureInfo.InvariantCulture, $"""<path d="M{Left} {y:F1}H{Width - Right}" stroke="#d7dbe0"/><text x="{Left - 8}" y="{y + 4:F1}" text-anchor="end">{Math.Pow(10, decade):#,0.###}</text>""").Append('\n');
        }

        for (var i = 0; i < series.Count; i++)
        {
            var colour = Colours[i % Colours.Length];
            var points = series[i].Points;
            var line = string.Join(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{Across(p.Size):F1},{Up(p.Cost):F1}")));
            svg.Append(CultureInfo.InvariantCulture, $"""<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.5"/>""").Append('\n');
            foreach (var point in points)
                svg.Append(CultureInfo.InvariantCulture, $"""<circle cx="{Across(point.Size):F1}" cy="{Up(point.Cost):F1}" r="4" fill="{colour}"/>""").Append('\n');
            svg.Append(CultureInfo.InvariantCulture, $"""<text x="{Across(points[^1].Size) + 12:F1}" y="{Up(points[^1].Cost) + 4:F1}" fill="{colour}">{Escape(series[i].Name)}</text>""").Append('\n');
        }

        return svg.Append("</svg>\n").ToString();

        double Across(double size) => Left + ((Width - Left - Right) * (Math.Log10(size) - x0) / Math.Max(1, x1 - x0));
        double Up(double cost) => Height - Bottom - ((Height - Top - Bottom) * (Math.Log10(cost) - y0) / Math.Max(1, y1 - y0));
    }

    private static (int From, int To) Decades(IEnumerable<double> values)
    {
        double[] logarithms = [.. values.Select(Math.Log10)];
        return ((int)Math.Floor(logarithms.Min()), (int)Math.Ceiling(logarithms.Max()));
    }

    private static string Escape(string text) => System.Security.SecurityElement.Escape(text);
}
