using System.Reflection;
using BasiqFunctions.Connections;
using BasiqFunctions.Consents;
using BasiqFunctions.Sync;
using Microsoft.Azure.Functions.Worker;

namespace BasiqFunctions.Tests.Building;

/// <summary>Ids that are not the same thing are not the same type. Read from the compiled code, but for what the compiler made up.</summary>
[Trait("Category", "Unit")]
public sealed class IdTests
{
    private const BindingFlags All =
        BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private static readonly Type[] Ids = [typeof(UserId), typeof(ConnectionId), typeof(AccountId), typeof(JobId), typeof(ReportId), typeof(BasiqReportId), typeof(SyncId), typeof(RunId), typeof(Cursor)];

    /// <summary>Bodies: what a caller sends is text until a validator has looked at it.</summary>
    private static readonly Type[] Bodies = [typeof(ConsentLinkRequest), typeof(RefreshRequest), typeof(MfaAnswerRequest)];

    [Fact]
    public void What_is_called_an_id_is_of_the_id_s_type()
    {
        var named = (
            from type in typeof(BasiqFunctionsRegistration).Assembly.GetTypes()
            where !type.FullName!.Contains('<', StringComparison.Ordinal) && !Bodies.Contains(type)
            from member in type.GetMembers(All)
            from part in PartsOf(member)
            from id in Ids
            where id.Name.Equals(part.Name?.TrimStart('_'), StringComparison.OrdinalIgnoreCase)
            select (Id: id, part.Type, Where: $"{type}: {member}")).ToArray();

        Assert.True(named.Length > 500);
        var wrong = (
            from part in named
            let type = part.Type.IsByRef ? part.Type.GetElementType() : part.Type
            where type == typeof(string) || (type != part.Id && Ids.Contains(type))
            select $"{part.Where} has a {type} for a {part.Id.Name}").ToArray();
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }

    private static IEnumerable<(string? Name, Type Type)> PartsOf(MemberInfo member) => member switch
    {
        FieldInfo field => [(field.Name, field.FieldType)],
        PropertyInfo property => [(property.Name, property.PropertyType)],

        // A host binds the values of a route as text.
        MethodInfo method when method.IsDefined(typeof(FunctionAttribute)) => [],
        MethodBase method => method.GetParameters().Select(parameter => (parameter.Name, parameter.ParameterType)),
        _ => [],
    };
}
