using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace BasiqFunctions.Tests.Platform.OpenApi;

/// <summary>The documentation comments of an assembly, from the file that the compiler wrote beside it, as Markdown.</summary>
internal sealed partial class XmlDocumentation(Assembly assembly)
{
    private readonly Dictionary<string, XElement> _members = XDocument
        .Load(Path.ChangeExtension(assembly.Location, ".xml"))
        .Descendants("member")
        .ToDictionary(member => member.Attribute("name")!.Value, StringComparer.Ordinal);

    public string? SummaryOf(Type type) => Text(Find($"T:{NameOf(type)}")?.Element("summary"));

    public string? SummaryOf(FieldInfo field) => Text(Find($"F:{NameOf(field.DeclaringType!)}.{field.Name}")?.Element("summary"));

    /// <summary>The property's own summary, or that of the positional parameter that it is made from.</summary>
    public string? SummaryOf(PropertyInfo property)
    {
        var type = NameOf(property.DeclaringType!);
        return Text(Find($"P:{type}.{property.Name}")?.Element("summary"))
            ?? Text(Find($"T:{type}")?.Elements("param").FirstOrDefault(p => p.Attribute("name")?.Value == property.Name));
    }

    public string? SummaryOf(MethodInfo method)
    {
        var prefix = $"M:{NameOf(method.DeclaringType!)}.{method.Name}(";
        return Text(_members.FirstOrDefault(m => m.Key.StartsWith(prefix, StringComparison.Ordinal)).Value?.Element("summary"));
    }

    private static string NameOf(Type type) => type.FullName!.Replace('+', '.');

    private static string? Text(XElement? element) =>
        element is null ? null : Spaces().Replace(string.Concat(element.Nodes().Select(Text)), " ").Trim();

    private static string Text(XNode node) => node switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        XElement { Name.LocalName: "see" } see => $"`{(see.Attribute("cref") ?? see.Attribute("langword"))!.Value.Split('(')[0].Split('.')[^1]}`",
        XElement { Name.LocalName: "paramref" } parameter => $"`{parameter.Attribute("name")!.Value}`",
        XElement other => string.Concat(other.Nodes().Select(Text)),
        _ => "",
    };

    private XElement? Find(string name) => _members.GetValueOrDefault(name);

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
