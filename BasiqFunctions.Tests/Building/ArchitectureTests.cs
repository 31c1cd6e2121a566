using System.Reflection;
using System.Reflection.Emit;
using System.Text.RegularExpressions;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Http;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Tests.Hosting;

namespace BasiqFunctions.Tests.Building;

/// <summary>
/// The folders of the app use one another downwards only. Read from the compiled code, which leaves out constants, and from the
/// <c>using</c>s, which do not. What composes the app stands in the root and uses all.
/// </summary>
[Trait("Category", "Unit")]
public sealed partial class ArchitectureTests
{
    private const BindingFlags All =
        BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>Each may use those after it.</summary>
    private static readonly string[] Folders =
    [
        "Webhooks", "Notifications", "Reports", "Users", "Consents", "Connections", "Removal", "Sync", "Data",
        "Basiq.Auth", "Basiq", "Basiq.Models",
        "Platform.Idempotency", "Platform.Health", "Platform.OpenApi", "Platform.Http", "Platform.Vault", "Platform.Records",
        "Platform.Telemetry", "Platform.Notices", "Platform",
    ];

    private static readonly Type[] Types = typeof(BasiqFunctionsRegistration).Assembly.GetTypes();

    private static readonly Dictionary<int, OpCode> Codes = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value & 0xFFFF);

    [Fact]
    public void A_folder_s_code_uses_only_what_stands_below_it()
    {
        var uses = (from type in Types from used in UsedBy(type).SelectMany(Parts) select (type, used)).Distinct().ToArray();

        Assert.True(uses.Length > 1_000);
        None(
            from use in uses
            where IsUpwards(use.type.Namespace, use.used.Namespace)
            select $"{use.type} uses {use.used}");
    }

    [Fact]
    public void A_folder_s_files_import_only_what_stands_below_it()
    {
        var root = Path.Combine(Repository.Root, "BasiqFunctions");
        var imports = (
            from file in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            let folder = Path.GetDirectoryName(Path.GetRelativePath(root, file))!.Replace(Path.DirectorySeparatorChar, '.')
            where folder.Split('.')[0] is not ("bin" or "obj")
            from Match import in Import().Matches(File.ReadAllText(file))
            select (From: $"BasiqFunctions.{folder}".TrimEnd('.'), To: import.Groups[1].Value)).ToArray();

        Assert.True(imports.Length > 100);
        None(
            from import in imports
            where IsUpwards(import.From, import.To)
            select $"{import.From} imports {import.To}");
    }

    [Fact]
    public void Every_folder_has_its_place() => None(
        from space in Types.Select(type => type.Namespace ?? "").Distinct()
        where space.StartsWith("BasiqFunctions.", StringComparison.Ordinal) && FolderOf(space) < 0
        select space);

    [Fact]
    public void Whatever_is_answered_or_kept_as_JSON_is_in_the_app_s_context()
    {
        var written = (
            from type in Types
            from method in type.GetMethods(All).Concat<MethodBase>(type.GetConstructors(All))
            from called in CalledBy(method).OfType<MethodBase>()
            from value in called switch
            {
                { DeclaringType.Name: "JsonAnswer`1" } => called.DeclaringType.GetGenericArguments(),
                { DeclaringType.Name: nameof(AppJson) or nameof(RecordTableExtensions) or nameof(JsonAnswer), IsGenericMethod: true } => called.GetGenericArguments(),
                _ => [],
            }
            where !value.IsGenericParameter
            select value).Distinct().ToArray();

        Assert.True(written.Length > 20);
        None(
            from value in written
            where AppJsonContext.Default.GetTypeInfo(value) is null
            select $"AppJsonContext lacks [JsonSerializable(typeof({value}))]");
    }

    /// <summary>As <c>Assert.Empty</c>, which would cut the names short.</summary>
    private static void None(IEnumerable<string> wrong) => Assert.True(!wrong.Any(), string.Join('\n', wrong));

    private static bool IsUpwards(string? from, string? to) =>
        to?.StartsWith(nameof(BasiqFunctions), StringComparison.Ordinal) is true && FolderOf(from) > FolderOf(to);

    /// <summary>Its place from the top; -1 for the root, and for what is not the app's.</summary>
    private static int FolderOf(string? space) =>
        Array.IndexOf(Folders, Folders.Where(folder => $"{space}.".StartsWith($"BasiqFunctions.{folder}.", StringComparison.Ordinal)).MaxBy(folder => folder.Length));

    private static IEnumerable<Type?> UsedBy(Type type) =>
    [
        type.BaseType,
        .. type.GetInterfaces(),
        .. type.GetGenericArguments().SelectMany(argument => argument.GetGenericParameterConstraints()),
        .. type.GetMembers(All).Prepend(type).SelectMany(member => UsedBy(member.CustomAttributes)),
        .. type.GetFields(All).Select(field => field.FieldType),
        .. type.GetMethods(All).Concat<MethodBase>(type.GetConstructors(All)).SelectMany(UsedBy),
    ];

    private static IEnumerable<Type?> UsedBy(IEnumerable<CustomAttributeData> attributes) =>
        from attribute in attributes
        from type in attribute.ConstructorArguments.Concat(attribute.NamedArguments.Select(named => named.TypedValue))
            .Select(argument => argument.Value as Type).Prepend(attribute.AttributeType)
        select type;

    private static IEnumerable<Type?> UsedBy(MethodBase method)
    {
        List<Type?> used = [.. Signature(method), .. method.GetParameters().SelectMany(parameter => UsedBy(parameter.CustomAttributes))];
        if (method.IsGenericMethod)
            used.AddRange(method.GetGenericArguments().SelectMany(argument => argument.GetGenericParameterConstraints()));
        if (method.GetMethodBody() is not { } body)
            return used;
        used.AddRange(body.LocalVariables.Select(local => local.LocalType));
        used.AddRange(body.ExceptionHandlingClauses.Where(clause => clause.Flags is ExceptionHandlingClauseOptions.Clause).Select(clause => clause.CatchType));
        used.AddRange(CalledBy(method).SelectMany(PartsOf));
        return used;
    }

    /// <summary>What a method's code names.</summary>
    private static IEnumerable<MemberInfo> CalledBy(MethodBase method)
    {
        if (method.GetMethodBody() is not { } body)
            yield break;
        var il = body.GetILAsByteArray()!;
        for (var at = 0; at < il.Length;)
        {
            var code = Codes[il[at] == 0xFE ? 0xFE00 | il[at + 1] : il[at]];
            at += code.Size;
            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
            {
                if (method.Module.ResolveMember(
                    BitConverter.ToInt32(il, at), method.DeclaringType!.GetGenericArguments(), method.IsGenericMethod ? method.GetGenericArguments() : null) is { } member)
                    yield return member;
            }

            at += code.OperandType switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, at)),
                _ => 4,
            };
        }
    }

    private static IEnumerable<Type?> PartsOf(MemberInfo member) => member switch
    {
        Type type => [type],
        FieldInfo field => [field.DeclaringType, field.FieldType],
        MethodBase called => [called.DeclaringType, .. Signature(called), .. called.IsGenericMethod ? called.GetGenericArguments() : []],
        _ => [],
    };

    private static IEnumerable<Type?> Signature(MethodBase method) =>
        method.GetParameters().Select(parameter => parameter.ParameterType).Append((method as MethodInfo)?.ReturnType);

    /// <summary>A type, or what it is an array or a generic of.</summary>
    private static IEnumerable<Type> Parts(Type? type) => type switch
    {
        null => [],
        { HasElementType: true } => Parts(type.GetElementType()),
        { IsGenericType: true } => [type.GetGenericTypeDefinition(), .. type.GetGenericArguments().SelectMany(Parts)],
        _ => [type],
    };

    [GeneratedRegex(@"^using (?:static )?(?:\w+ = )?(BasiqFunctions\.[\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Import();
}
