using System.Diagnostics.CodeAnalysis;

namespace BasiqFunctions.Tests.Building;

/// <summary>What the comparison of a declared type with the real one notices, and what it lets pass.</summary>
[SuppressMessage("Performance", "CA1822:Mark members as static", Justification = "The types exist to be compared.")]
[SuppressMessage("Performance", "CA1852:Seal internal types", Justification = "The types exist to be compared.")]
public sealed class SourceCompatibilityTests
{
    private readonly SourceCompatibility _comparison = new(type => type != typeof(Version));

    [Theory]
    [InlineData(typeof(Declared.Alike), typeof(Real.Alike))]
    [InlineData(typeof(Declared.Levels), typeof(Real.Levels))]
    public void A_real_type_that_has_all_that_is_declared_and_more_is_compatible(Type declared, Type real) =>
        Assert.Empty(_comparison.Differences(declared, real));

    [Theory]
    [InlineData(nameof(Declared.Members.Missing), "Missing() is not there")]
    [InlineData(nameof(Declared.Members.OtherParameter), "OtherParameter(System.Int32 value) is not there")]
    [InlineData(nameof(Declared.Members.OtherReturn), "OtherReturn() returns System.Int64, declared as System.Int32")]
    [InlineData(nameof(Declared.Members.OtherName), "OtherName(System.Int32 value) has a parameter 0 named number, declared as value")]
    [InlineData(nameof(Declared.Members.OtherDefault), "OtherDefault(System.Int32 value) has, for value, the default 2, declared as 1")]
    [InlineData(nameof(Declared.Members.NoDefault), "NoDefault(System.Int32 value) requires value")]
    [InlineData(nameof(Declared.Members.NotParams), "NotParams(System.String[] values) takes values by value, declared as params")]
    [InlineData(nameof(Declared.Members.NotVirtual), "NotVirtual() cannot be overridden")]
    [InlineData(nameof(Declared.Members.Abstract), "Abstract() is abstract")]
    [InlineData(nameof(Declared.Members.Static), "Static() is static: False, declared as True")]
    [InlineData("Hidden", "Hidden() is protected, declared as public")]
    [InlineData(nameof(Declared.Members.Old), "Old() is marked ObsoleteAttribute")]
    [InlineData(nameof(Declared.Members.TakesNull), "TakesNull(System.String text) takes a text that is annotated otherwise for null")]
    [InlineData(nameof(Declared.Members.GivesNull), "GivesNull() returns a type that is annotated otherwise for null")]
    [InlineData(nameof(Declared.Members.GivesNulls), "GivesNulls() returns a type that is annotated otherwise for null")]
    [InlineData(nameof(Declared.Members.ReadOnly), "set_ReadOnly(System.Int32 value) is not there")]
    [InlineData(nameof(Declared.Members.InitOnly), "set_InitOnly(System.Int32 value) sets in an initializer only")]
    [InlineData(nameof(Declared.Members.OldProperty), "get_OldProperty() is marked ObsoleteAttribute")]
    [InlineData(nameof(Declared.Members.Constant), "Constant is 2, declared as 1")]
    [InlineData(nameof(Declared.Members.Constrained), "Constrained() has the type parameters <NotNullableValueTypeConstraint, DefaultConstructorConstraint")]
    [InlineData(nameof(Declared.Members.NotNull), "NotNull() has the type parameters <None >, declared as <None notnull>")]
    public void A_member_that_differs_is_named(string member, string difference) =>
        Assert.Contains(
            $": {difference}",
            Assert.Single(
                _comparison.Differences(typeof(Declared.Members), typeof(Real.Members)),
                d => d.Contains($": {member}(", StringComparison.Ordinal)
                    || d.Contains($": {member} ", StringComparison.Ordinal)
                    || d.Contains($"et_{member}(", StringComparison.Ordinal)),
            StringComparison.Ordinal);

    [Theory]
    [InlineData(typeof(Declared.Open), typeof(Real.Sealed), "is sealed")]
    [InlineData(typeof(Declared.Open), typeof(Real.Abstract), "is abstract")]
    [InlineData(typeof(Declared.Open), typeof(Real.Structure), "is a struct, declared as a class")]
    [InlineData(typeof(Declared.Open), typeof(Real.Static), "is static")]
    [InlineData(typeof(Declared.Derived), typeof(Real.Alike), "does not derive from System.IO.Stream")]
    [InlineData(typeof(Declared.Disposable), typeof(Real.Alike), "does not implement System.IDisposable")]
    [InlineData(typeof(Declared.MarkAttribute), typeof(Real.MarkAttribute), "may not be put on Class")]
    [InlineData(typeof(Declared.MarkAttribute), typeof(Real.MarkAttribute), "may be put but once")]
    [InlineData(typeof(Declared.Levels), typeof(Real.OtherLevels), "High is 3, declared as 2")]
    [InlineData(typeof(Declared.Levels), typeof(Real.OtherLevels), "Low is not there")]
    [InlineData(typeof(Declared.Record), typeof(Real.NoRecord), "<Clone>$() is not there")]
    [InlineData(typeof(Declared.Client), typeof(Real.Client), "has an abstract member that is not declared: Stop()")]
    [InlineData(typeof(Declared.Caller), typeof(Real.Caller), "has a rival for the same call, which is not declared: Call(System.String text, System.Int32 count)")]
    [InlineData(typeof(Declared.Caller), typeof(Real.Caller), "has a rival for the same call, which is not declared: Wait(System.String text, System.Int32 count)")]
    [InlineData(typeof(Declared.Caller), typeof(Real.Caller), "has a rival for the same call, which is not declared: Wait(System.String text)")]
    public void A_type_that_differs_is_named(Type declared, Type real, string difference) =>
        Assert.Contains(_comparison.Differences(declared, real), d => d.EndsWith(difference, StringComparison.Ordinal));

    [Fact]
    public void An_overload_that_no_call_can_mean_instead_need_not_be_declared() =>
        Assert.Equal(3, _comparison.Differences(typeof(Declared.Caller), typeof(Real.Caller)).Count);

    private static class Declared
    {
        public enum Levels
        {
            Low = 1,
            High = 2,
        }

        public class Alike(string name = "x")
        {
            public string? Name { get; init; } = name;

            public override string? ToString() => Name;
        }

        public record Record(string? Name = null);

        public abstract class Members
        {
            public const int Constant = 1;

            public int ReadOnly { get; set; }

            public int InitOnly { get; set; }

            public int OldProperty { get; }

            public static void Static() { }

            public void Missing() { }

            public void OtherParameter(int value) { }

            public int OtherReturn() => 0;

            public void OtherName(int value) { }

            public void OtherDefault(int value = 1) { }

            public void NoDefault(int value = 1) { }

            public void NotParams(params string[] values) { }

            public virtual void NotVirtual() { }

            public virtual void Abstract() { }

            public void Hidden() { }

            public void Old() { }

            public void TakesNull(string? text) { }

            public string GivesNull() => "";

            public IEnumerable<string> GivesNulls() => [];

            public void Constrained<T>() { }

            public void NotNull<T>()
                where T : notnull
            { }
        }

        public class Open;

        public abstract class Derived : Stream;

        public sealed class Disposable : IDisposable
        {
            public void Dispose() { }
        }

        [AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
        public sealed class MarkAttribute : Attribute;

        public abstract class Client
        {
            public abstract void Start();
        }

        public class Caller
        {
            public void Call(string text, object? value = null) { }

            public void Wait(string text, bool whole = false, int count = 0) { }
        }
    }

    private static class Real
    {
        public enum Levels
        {
            None = 0,
            Low = 1,
            High = 2,
        }

        public enum OtherLevels
        {
            High = 3,
        }

        public class Alike(string name = "x")
        {
            public string? Name { get; set; } = name;

            public int More { get; set; }
        }

        public class NoRecord(string? name = null)
        {
            public string? Name { get; init; } = name;
        }

        public abstract class Members
        {
            public const int Constant = 2;

            public int ReadOnly { get; }

            public int InitOnly { get; init; }

            [Obsolete("Use InitOnly.")]
            public int OldProperty { get; }

            public void Static() { }

            public void OtherParameter(long value) { }

            public long OtherReturn() => 0;

            public void OtherName(int number) { }

            public void OtherDefault(int value = 2) { }

            public void NoDefault(int value) { }

            public void NotParams(string[] values) { }

            public void NotVirtual() { }

            public abstract void Abstract();

            protected void Hidden() { }

            [Obsolete("Use Missing.")]
            public void Old() { }

            public void TakesNull(string text) { }

            public string? GivesNull() => null;

            public IEnumerable<string?> GivesNulls() => [];

            public void Constrained<T>()
                where T : struct
            { }

            public void NotNull<T>() { }
        }

        public sealed class Sealed;

        public abstract class Abstract;

        public struct Structure;

        public static class Static;

        [AttributeUsage(AttributeTargets.Method)]
        public sealed class MarkAttribute : Attribute;

        public abstract class Client
        {
            public abstract void Start();

            public abstract void Stop();
        }

        public class Caller
        {
            public void Call(string text, object? value = null) { }

            public void Call(string text, int count) { }

            public void Call(int number) { }

            // Nobody who writes against the declarations can name its type.
            public void Call(string text, Version version) { }

            public void Wait(string text, bool whole = false, int count = 0) { }

            public void Wait(string text, int count) { }

            public void Wait(string text) { }
        }
    }
}
