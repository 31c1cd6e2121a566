using System.Reflection;
using System.Runtime.CompilerServices;

namespace BasiqFunctions.Tests.Building;

/// <summary>
/// Compares a declaration of a type with the real one, as a compiler would notice: code that compiles against the declaration has to
/// compile against the real type without a warning, bind to the same members, and be able to derive from it. The declaration may say
/// less than the real type; all that it says has to be so. Types may come from a MetadataLoadContext: they are compared by name.
/// </summary>
/// <param name="isNamed">Whether code that is written against the declarations can name this type of the real assemblies.</param>
internal sealed class SourceCompatibility(Predicate<Type> isNamed)
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private readonly NullabilityInfoContext _nullability = new();
    private readonly List<string> _differences = [];

    /// <summary>One sentence for each difference; none when the declaration can stand in for the real type.</summary>
    public IReadOnlyList<string> Differences(Type declared, Type real)
    {
        _differences.Clear();
        CompareType(declared, real);
        if (declared.IsEnum)
        {
            CompareEnum(declared, real);
            return [.. _differences];
        }

        foreach (var field in declared.GetFields(Declared).Where(f => f.IsPublic || (f.IsFamily && !declared.IsSealed)))
            CompareField(field, real);

        var methods = VisibleMethods(declared, includeProtected: !declared.IsSealed).ToList();
        var counterparts = new Dictionary<MethodBase, MethodBase>();
        foreach (var method in methods)
        {
            if (Counterpart(method, real) is { } counterpart)
            {
                counterparts.Add(counterpart, method);
                CompareMethod(method, counterpart, declared);
            }
            else
            {
                Differ(method, "is not there");
            }
        }

        FindUndeclaredOverloads(real, counterparts);
        if (IsDerivable(declared))
            FindUndeclaredAbstractMembers(declared, real);
        return [.. _differences];
    }

    private void CompareType(Type declared, Type real)
    {
        Same(declared, "is", Kind(declared), Kind(real));
        Same(declared, "has the type parameters", TypeParameters(declared), TypeParameters(real));
        if (IsStatic(declared) != IsStatic(real))
            Differ(declared, IsStatic(real) ? "is static" : "is not static");
        else if (!declared.IsSealed && real.IsSealed)
            Differ(declared, "is sealed");
        else if (!declared.IsAbstract && real.IsAbstract)
            Differ(declared, "is abstract");

        if (Ancestors(declared).Skip(1).FirstOrDefault() is { } parent && Ancestors(real).All(a => Name(a) != Name(parent)))
            Differ(declared, $"does not derive from {Name(parent)}");
        foreach (var contract in declared.GetInterfaces().Where(i => real.GetInterfaces().All(r => Name(r) != Name(i))))
            Differ(declared, $"does not implement {Name(contract)}");
        foreach (var warning in Warnings(real).Except(Warnings(declared)))
            Differ(declared, $"is marked {warning}");

        if (Ancestors(declared).Any(a => a.FullName == typeof(Attribute).FullName))
        {
            var (targets, multiple) = Usage(declared);
            var (realTargets, realMultiple) = Usage(real);
            if ((targets & ~realTargets) != 0)
                Differ(declared, $"may not be put on {targets & ~realTargets}");
            if (multiple && !realMultiple)
                Differ(declared, "may be put but once");
        }
    }

    private void CompareEnum(Type declared, Type real)
    {
        if (!real.IsEnum)
            return;
        Same(declared, "is made of", Name(declared.GetEnumUnderlyingType()), Name(real.GetEnumUnderlyingType()));
        foreach (var value in declared.GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            if (real.GetField(value.Name) is not { } counterpart)
                Differ(value, "is not there");
            else
                Same(value, "is", value.GetRawConstantValue(), counterpart.GetRawConstantValue());
        }
    }

    private void CompareField(FieldInfo declared, Type real)
    {
        if (Ancestors(real).Select(a => a.GetField(declared.Name, Declared)).FirstOrDefault(f => f is not null) is not { } field)
        {
            Differ(declared, "is not there");
            return;
        }

        Same(declared, "is of the type", Name(declared.FieldType), Name(field.FieldType));
        Same(declared, "is static:", declared.IsStatic, field.IsStatic);
        Same(declared, "is public:", declared.IsPublic, field.IsPublic);
        Same(declared, "is constant:", declared.IsLiteral, field.IsLiteral);
        if (declared.IsLiteral && field.IsLiteral)
            Same(declared, "is", declared.GetRawConstantValue(), field.GetRawConstantValue());
        if (!declared.IsInitOnly && field.IsInitOnly)
            Differ(declared, "is read-only");
        if (!AreAlike(_nullability.Create(declared), _nullability.Create(field)))
            Differ(declared, "is annotated otherwise for null");
        foreach (var warning in Warnings(field).Except(Warnings(declared)))
            Differ(declared, $"is marked {warning}");
    }

    private void CompareMethod(MethodBase declared, MethodBase real, Type type)
    {
        // A constructor is not overridden: the real one may be open to more callers.
        if (!declared.IsConstructor || !real.IsPublic)
            Same(declared, "is", Accessibility(declared), Accessibility(real));
        Same(declared, "is static:", declared.IsStatic, real.IsStatic);
        foreach (var warning in Warnings(real).Except(Warnings(declared)))
            Differ(declared, $"is marked {warning}");

        if (IsOverridable(declared) && IsDerivable(type))
        {
            if (!IsOverridable(real))
                Differ(declared, "cannot be overridden");
            else if (real.IsAbstract && !declared.IsAbstract)
                Differ(declared, "is abstract");
        }

        if (declared is MethodInfo method && real is MethodInfo realMethod)
        {
            Same(declared, "returns", Name(method.ReturnType), Name(realMethod.ReturnType));
            Same(declared, "has the type parameters", TypeParameters(method), TypeParameters(realMethod));
            if (IsInitOnly(realMethod) && !IsInitOnly(method))
                Differ(declared, "sets in an initializer only");
            if (!AreAlike(_nullability.Create(method.ReturnParameter), _nullability.Create(realMethod.ReturnParameter)))
                Differ(declared, "returns a type that is annotated otherwise for null");
        }

        foreach (var (parameter, realParameter) in declared.GetParameters().Zip(real.GetParameters()))
            CompareParameter(declared, parameter, realParameter);
    }

    private void CompareParameter(MethodBase method, ParameterInfo declared, ParameterInfo real)
    {
        // What the compiler writes for a record has names that nobody chose to use.
        if (!IsCompilerGenerated(method))
            Same(method, $"has a parameter {declared.Position} named", declared.Name, real.Name);
        Same(method, $"takes {declared.Name} by", Passing(declared), Passing(real));
        if (declared.HasDefaultValue && !real.HasDefaultValue)
            Differ(method, $"requires {declared.Name}");
        else if (declared.HasDefaultValue)
            Same(method, $"has, for {declared.Name}, the default", declared.RawDefaultValue, real.RawDefaultValue);
        if (!AreAlike(_nullability.Create(declared), _nullability.Create(real)))
            Differ(method, $"takes a {declared.Name} that is annotated otherwise for null");
    }

    /// <summary>
    /// Real overloads that the compiler would take, or find as good, for a call that against the declarations binds to another one.
    /// </summary>
    private void FindUndeclaredOverloads(Type real, Dictionary<MethodBase, MethodBase> counterparts)
    {
        foreach (var overload in VisibleMethods(real, includeProtected: true).Where(m => !counterparts.ContainsKey(m)))
        {
            var rivals = counterparts
                .Where(c => c.Key.Name == overload.Name && Arity(c.Key) == Arity(overload))
                .Where(c => Competes(overload.GetParameters(), c.Key.GetParameters()));
            if (overload.GetParameters().All(p => IsNamed(p.ParameterType)) && rivals.Select(r => r.Value).FirstOrDefault() is { } rival)
                Differ(rival, $"has a rival for the same call, which is not declared: {Signature(overload)}");
        }
    }

    private void FindUndeclaredAbstractMembers(Type declared, Type real)
    {
        foreach (var member in Ancestors(real).SelectMany(a => VisibleMethods(a, includeProtected: true)).Where(m => m.IsAbstract))
        {
            if (Counterpart(member, declared) is null && Counterpart(member, real) is { IsAbstract: true })
                Differ(declared, $"has an abstract member that is not declared: {Signature(member)}");
        }
    }

    /// <summary>Whether some call could go to either: its arguments in order, or the required ones by name.</summary>
    private static bool Competes(ParameterInfo[] overload, ParameterInfo[] bound)
    {
        var least = Math.Max(1, Math.Max(overload.Count(IsRequired), bound.Count(IsRequired)));
        for (var count = least; count <= Math.Min(overload.Length, bound.Length); count++)
        {
            if (WouldTake([.. overload.Take(count).Zip(bound.Take(count))]))
                return true;
        }

        var names = overload.Concat(bound).Where(IsRequired).Select(p => p.Name).Distinct().ToList();
        var byName = names.Select(n => (Array.Find(overload, p => p.Name == n), Array.Find(bound, p => p.Name == n))).ToList();
        return byName is not [] && byName.All(p => p is (not null, not null)) && WouldTake(byName!);

        // With the same types, the one that needs no default is taken: no harm when that is the one that is declared.
        bool WouldTake(IReadOnlyList<(ParameterInfo Overload, ParameterInfo Bound)> arguments) =>
            arguments.All(a => Takes(a.Bound, a.Overload))
            && !(arguments.Count == bound.Length && arguments.All(a => Takes(a.Overload, a.Bound)));

        static bool IsRequired(ParameterInfo parameter) => !parameter.HasDefaultValue;

        static bool Takes(ParameterInfo parameter, ParameterInfo argument) =>
            Name(parameter.ParameterType) == Name(argument.ParameterType)
            || parameter.ParameterType.IsAssignableFrom(argument.ParameterType);
    }

    private static MethodBase? Counterpart(MethodBase method, Type type)
    {
        var parameters = method.GetParameters().Select(p => Name(p.ParameterType)).ToList();
        var types = method is ConstructorInfo ? [type] : type.IsInterface ? [type, .. type.GetInterfaces()] : Ancestors(type, toObject: true);
        return types
            .SelectMany(t => VisibleMethods(t, includeProtected: true))
            .FirstOrDefault(m => m.Name == method.Name
                && Arity(m) == Arity(method)
                && m.GetParameters().Select(p => Name(p.ParameterType)).SequenceEqual(parameters));
    }

    /// <summary>Constructors, methods and, as methods, the accessors of properties and events.</summary>
    private static IEnumerable<MethodBase> VisibleMethods(Type type, bool includeProtected) =>
        type.GetConstructors(Declared).Where(c => !c.IsStatic).Concat<MethodBase>(type.GetMethods(Declared))
            .Where(m => m.IsPublic || (includeProtected && (m.IsFamily || m.IsFamilyOrAssembly)));

    /// <summary>The type and what it derives from; without what every type derives from, unless asked for.</summary>
    private static IEnumerable<Type> Ancestors(Type type, bool toObject = false)
    {
        for (var ancestor = type; ancestor is not null; ancestor = ancestor.BaseType)
        {
            if (!toObject && ancestor.FullName is "System.Object" or "System.ValueType" or "System.Enum")
                yield break;
            yield return ancestor;
        }
    }

    private bool IsNamed(Type type) => type switch
    {
        { IsGenericParameter: true } => true,
        { HasElementType: true } => IsNamed(type.GetElementType()!),
        { IsConstructedGenericType: true } => isNamed(type.GetGenericTypeDefinition()) && type.GetGenericArguments().All(IsNamed),
        _ => isNamed(type),
    };

    private static bool IsDerivable(Type type) =>
        type.IsInterface || (!type.IsSealed && VisibleMethods(type, includeProtected: true).Any(m => m.IsConstructor));

    private static int Arity(MethodBase method) => method.IsGenericMethod ? method.GetGenericArguments().Length : 0;

    private static bool IsStatic(Type type) => type is { IsAbstract: true, IsSealed: true };

    private static bool IsOverridable(MethodBase method) => method is { IsVirtual: true, IsFinal: false };

    private static bool IsInitOnly(MethodInfo method) =>
        method.ReturnParameter.GetRequiredCustomModifiers().Any(m => m.Name == "IsExternalInit");

    private static bool IsCompilerGenerated(MethodBase method) =>
        method.GetCustomAttributesData().Any(a => a.AttributeType.FullName == typeof(CompilerGeneratedAttribute).FullName);

    private static string Kind(Type type) =>
        type.IsEnum ? "an enum"
        : type.IsInterface ? "an interface"
        : type.IsValueType ? "a struct"
        : type.BaseType?.FullName == typeof(MulticastDelegate).FullName ? "a delegate"
        : "a class";

    private static string Accessibility(MethodBase method) => method.IsPublic ? "public" : "protected";

    private static string Passing(ParameterInfo parameter) =>
        parameter.IsOut ? "out"
        : parameter.IsIn ? "in"
        : parameter.ParameterType.IsByRef ? "ref"
        : parameter.GetCustomAttributesData().Any(a => a.AttributeType.FullName == typeof(ParamArrayAttribute).FullName) ? "params"
        : "value";

    private static string TypeParameters(Type type) => TypeParameters(type.GetGenericArguments(), type);

    private static string TypeParameters(MethodInfo method) => TypeParameters(method.GetGenericArguments(), method);

    private static string TypeParameters(Type[] parameters, MemberInfo owner) =>
        $"<{string.Join(", ", parameters.Select(p => string.Join(' ', [
            p.GenericParameterAttributes.ToString(),
            IsNotNull(p, owner) ? "notnull" : "",
            .. p.GetGenericParameterConstraints().Select(Name).Order(StringComparer.Ordinal)])))}>";

    private static bool IsNotNull(Type parameter, MemberInfo owner)
    {
        // The compiler writes the annotation on the parameter, or once for all on what encloses it (C# language, nullable metadata).
        var own = parameter.GetCustomAttributesData().FirstOrDefault(a => a.AttributeType.Name == "NullableAttribute");
        for (MemberInfo? outer = owner; own is null && outer is not null; outer = outer.DeclaringType)
            own = outer.GetCustomAttributesData().FirstOrDefault(a => a.AttributeType.Name == "NullableContextAttribute");
        return own?.ConstructorArguments[0].Value is (byte)1;
    }

    private static IEnumerable<string> Warnings(MemberInfo member)
    {
        var attributes = member.GetCustomAttributesData().AsEnumerable();
        if (member is MethodInfo { IsSpecialName: true } accessor && accessor.Name.IndexOf('_', StringComparison.Ordinal) is > 0 and var at)
        {
            attributes = attributes.Concat(
                accessor.DeclaringType!.GetProperties(Declared).Where(p => p.Name == accessor.Name[(at + 1)..])
                    .SelectMany(p => p.GetCustomAttributesData()));
        }

        return attributes.Select(a => a.AttributeType.Name)
            .Where(n => n is nameof(ObsoleteAttribute) or "ExperimentalAttribute" or "RequiresPreviewFeaturesAttribute");
    }

    private static (AttributeTargets Targets, bool Multiple) Usage(Type attribute)
    {
        var usage = Ancestors(attribute)
            .SelectMany(a => a.GetCustomAttributesData())
            .FirstOrDefault(a => a.AttributeType.FullName == typeof(AttributeUsageAttribute).FullName);
        return usage is null
            ? (AttributeTargets.All, false)
            : ((AttributeTargets)usage.ConstructorArguments[0].Value!,
                usage.NamedArguments.Any(a => a.MemberName == nameof(AttributeUsageAttribute.AllowMultiple) && a.TypedValue.Value is true));
    }

    /// <summary>What a code without annotations says nothing about counts as alike.</summary>
    private static bool AreAlike(NullabilityInfo declared, NullabilityInfo real) =>
        AreAlike(declared.ReadState, real.ReadState)
        && AreAlike(declared.WriteState, real.WriteState)
        && (declared.ElementType is null || real.ElementType is null || AreAlike(declared.ElementType, real.ElementType))
        && declared.GenericTypeArguments.Zip(real.GenericTypeArguments).All(a => AreAlike(a.First, a.Second));

    private static bool AreAlike(NullabilityState declared, NullabilityState real) =>
        declared == real || declared is NullabilityState.Unknown || real is NullabilityState.Unknown;

    private static string Name(Type type)
    {
        if (type.IsGenericParameter)
            return (type.DeclaringMethod is null ? "!" : "!!") + type.GenericParameterPosition;
        if (type.HasElementType)
            return Name(type.GetElementType()!) + (type.IsArray ? "[]" : type.IsByRef ? "&" : "*");
        return type.IsGenericType
            ? $"{type.GetGenericTypeDefinition().FullName}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
            : type.FullName!;
    }

    private static string Signature(MemberInfo member) => member is MethodBase method
        ? $"{method.Name}({string.Join(", ", method.GetParameters().Select(p => $"{Name(p.ParameterType)} {p.Name}"))})"
        : member.Name;

    private void Same(MemberInfo declared, string what, object? expected, object? actual)
    {
        if (!Equals(expected, actual))
            Differ(declared, $"{what} {actual ?? "null"}, declared as {expected ?? "null"}");
    }

    private void Differ(MemberInfo declared, string how) => _differences.Add(
        declared is Type type ? $"{type.FullName} {how}" : $"{declared.DeclaringType!.FullName}: {Signature(declared)} {how}");
}
