using System.Reflection;

namespace BasiqFunctions.Benchmarks.Simulation;

/// <summary>Stands before a store and tells what is asked of it, before it is done; what that throws, the step throws.</summary>
internal class Counting<T> : DispatchProxy
    where T : class
{
    private T _inner = null!;
    private Action<string> _tell = null!;

    internal static T Before(T inner, Action<string> tell)
    {
        var proxy = Create<T, Counting<T>>();
        ((Counting<T>)(object)proxy)._inner = inner;
        ((Counting<T>)(object)proxy)._tell = tell;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        _tell($"{targetMethod!.Name} {string.Join(' ', args!)}");
        return targetMethod.Invoke(_inner, BindingFlags.DoNotWrapExceptions, null, args, null);
    }
}
