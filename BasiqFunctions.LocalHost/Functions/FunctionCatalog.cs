using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using BasiqFunctions.Platform.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.LocalHost.Functions;

/// <summary>Runs an orchestrator function.</summary>
internal delegate Task<object?> OrchestratorFunction(IServiceProvider services, TaskOrchestrationContext context);

/// <summary>Runs an activity function on its input, which is JSON or null.</summary>
internal delegate Task<object?> ActivityFunction(IServiceProvider services, string? input, CancellationToken cancellation);

/// <summary>Runs a timer function.</summary>
internal delegate Task TimerFunctionBody(IServiceProvider services, TimerInfo timer, CancellationToken cancellation);

/// <summary>An HTTP function: where it listens and what it does.</summary>
internal sealed record HttpFunction(
    string Name, string Route, IReadOnlyList<string> Methods, AuthorizationLevel AuthLevel, Func<HttpContext, Task> Run);

/// <summary>A timer function and its NCRONTAB schedule.</summary>
internal sealed record TimerFunction(string Name, string Schedule, bool RunOnStartup, TimerFunctionBody Run);

/// <summary>
/// The functions of an assembly, found by their <see cref="FunctionAttribute"/> and made callable: what a function's parameters
/// are bound to is decided once, here.
/// </summary>
internal sealed class FunctionCatalog
{
    private readonly List<HttpFunction> _http = [];
    private readonly List<TimerFunction> _timers = [];
    private readonly Dictionary<string, OrchestratorFunction> _orchestrators = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, ActivityFunction> _activities = new(StringComparer.OrdinalIgnoreCase);

    private FunctionCatalog()
    {
    }

    public IReadOnlyList<HttpFunction> Http => _http;

    public IReadOnlyList<TimerFunction> Timers => _timers;

    public IReadOnlyDictionary<string, OrchestratorFunction> Orchestrators => _orchestrators;

    public IReadOnlyDictionary<string, ActivityFunction> Activities => _activities;

    /// <summary>Finds every function of an assembly.</summary>
    /// <exception cref="InvalidOperationException">A function has no trigger, a parameter that nothing binds, or a name that is taken.</exception>
    public static FunctionCatalog Scan(Assembly assembly) => Of(assembly.GetExportedTypes());

    /// <summary>Takes the functions of some classes.</summary>
    /// <exception cref="InvalidOperationException">As for <see cref="Scan"/>.</exception>
    public static FunctionCatalog Of(params ReadOnlySpan<Type> types)
    {
        var catalog = new FunctionCatalog();
        HashSet<string> names = new(StringComparer.OrdinalIgnoreCase);
        foreach (var type in types)
        {
            foreach (var method in type.GetMethods(
                BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            {
                if (method.GetCustomAttribute<FunctionAttribute>() is not { } function)
                    continue;
                if (!names.Add(function.Name))
                    throw new InvalidOperationException($"Two functions are named '{function.Name}'.");
                catalog.Add(function.Name, method);
            }
        }

        return catalog;
    }

    private void Add(string name, MethodInfo method)
    {
        // Asked for once: who asks twice, while others ask as well, may be given two that are not the same.
        var parameters = method.GetParameters();
        if (Trigger<HttpTriggerAttribute>(parameters, out _) is { } http)
        {
            _http.Add(new HttpFunction(name, http.Route ?? name, http.Methods ?? [], http.AuthLevel, BindHttp(name, method, parameters)));
        }
        else if (Trigger<TimerTriggerAttribute>(parameters, out var timerParameter) is { } timer)
        {
            var call = Bind<(IServiceProvider Services, TimerInfo Timer, CancellationToken Cancellation)>(method, parameters, parameter =>
                parameter == timerParameter ? input => input.Timer
                : parameter.ParameterType == typeof(CancellationToken) ? input => input.Cancellation
                : parameter.ParameterType == typeof(DurableTaskClient) ? input => input.Services.GetRequiredService<DurableTaskClient>()
                : throw NothingBinds(name, parameter));
            _timers.Add(new TimerFunction(
                name, timer.Schedule, timer.RunOnStartup,
                (services, info, cancellation) => call(services, (services, info, cancellation))));
        }
        else if (Trigger<OrchestrationTriggerAttribute>(parameters, out var contextParameter) is not null)
        {
            var call = Bind<TaskOrchestrationContext>(method, parameters, parameter =>
                parameter == contextParameter ? context => context : throw NothingBinds(name, parameter));
            _orchestrators.Add(name, new OrchestratorFunction(call));
        }
        else if (Trigger<ActivityTriggerAttribute>(parameters, out var inputParameter) is not null)
        {
            var call = Bind<(IServiceProvider Services, string? Input, CancellationToken Cancellation)>(method, parameters, parameter =>
                parameter == inputParameter ? input => ReadInput(input.Input, parameter.ParameterType)
                : parameter.ParameterType == typeof(CancellationToken) ? input => input.Cancellation
                : parameter.ParameterType == typeof(DurableTaskClient) ? input => input.Services.GetRequiredService<DurableTaskClient>()
                : throw NothingBinds(name, parameter));
            _activities.Add(name, (services, input, cancellation) => call(services, (services, input, cancellation)));
        }
        else
        {
            throw new InvalidOperationException($"Function '{name}' has no trigger that LocalHost knows.");
        }
    }

    private static Func<HttpContext, Task> BindHttp(string name, MethodInfo method, ParameterInfo[] parameters)
    {
        var call = Bind<(HttpContext Context, CancellationToken Cancellation)>(method, parameters, parameter =>
        {
            if (parameter.ParameterType == typeof(HttpRequest))
                return input => input.Context.Request;
            if (parameter.ParameterType == typeof(CancellationToken))
                return input => input.Cancellation;
            if (parameter.ParameterType == typeof(DurableTaskClient))
                return input => input.Context.RequestServices.GetRequiredService<DurableTaskClient>();
            if (parameter.ParameterType == typeof(string))
                return input => input.Context.Request.RouteValues[parameter.Name!] as string;
            throw NothingBinds(name, parameter);
        });
        return async context =>
        {
            var answer = await context.RequestServices.GetRequiredService<HttpAnswers>().RunAsync(
                context,
                name,
                async cancellation => (IResult)(await call(context.RequestServices, (context, cancellation)))!,
                context.RequestAborted);
            await answer.ExecuteAsync(context);
        };
    }

    /// <summary>Makes a method callable: an instance of its class per call, its arguments from <paramref name="bind"/>.</summary>
    private static Func<IServiceProvider, TInput, Task<object?>> Bind<TInput>(
        MethodInfo method, ParameterInfo[] parameters, Func<ParameterInfo, Func<TInput, object?>> bind)
    {
        Func<TInput, object?>[] arguments = [.. parameters.Select(bind)];
        var invoker = MethodInvoker.Create(method);

        var create = method.IsStatic ? null : Construct(method.DeclaringType!);
        var unwrap = Unwrap(method.ReturnType);
        return async (services, input) =>
        {
            var target = create?.Invoke(services);
            var values = new object?[arguments.Length];
            for (var i = 0; i < values.Length; i++)
                values[i] = arguments[i](input);
            return await unwrap(invoker.Invoke(target, values.AsSpan()));
        };
    }

    /// <summary>
    /// Makes instances with what their one constructor asks for. (The framework's factory compiles an expression, which costs more
    /// than the first answer of a host can afford.)
    /// </summary>
    private static Func<IServiceProvider, object> Construct(Type type)
    {
        var constructor = type.GetConstructors() is [var only]
            ? only
            : throw new InvalidOperationException($"Class '{type.Name}' needs exactly one public constructor.");
        Type[] services = [.. constructor.GetParameters().Select(parameter => parameter.ParameterType)];
        var invoker = ConstructorInvoker.Create(constructor);
        return provider =>
        {
            var arguments = new object?[services.Length];
            for (var i = 0; i < arguments.Length; i++)
                arguments[i] = provider.GetRequiredService(services[i]);
            return invoker.Invoke(arguments.AsSpan());
        };
    }

    private static Func<object?, Task<object?>> Unwrap(Type returnType)
    {
        if (returnType == typeof(void))
            return _ => Task.FromResult<object?>(null);
        if (returnType == typeof(Task))
            return AwaitAsync;
        if (!returnType.IsGenericType || returnType.GetGenericTypeDefinition() != typeof(Task<>))
            return Task.FromResult;
        return typeof(FunctionCatalog)
            .GetMethod(nameof(AwaitResultAsync), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(returnType.GetGenericArguments())
            .CreateDelegate<Func<object?, Task<object?>>>();
    }

    private static async Task<object?> AwaitAsync(object? task)
    {
        await (Task)task!;
        return null;
    }

    private static async Task<object?> AwaitResultAsync<T>(object? task) => await (Task<T>)task!;

    private static object? ReadInput(string? json, Type type) => json is null ? null : JsonSerializer.Deserialize(json, type);

    private static T? Trigger<T>(ParameterInfo[] parameters, [NotNullIfNotNull("return")] out ParameterInfo? parameter)
        where T : Attribute
    {
        parameter = Array.Find(parameters, p => p.IsDefined(typeof(T)));
        return parameter?.GetCustomAttribute<T>();
    }

    private static InvalidOperationException NothingBinds(string function, ParameterInfo parameter) =>
        new($"Function '{function}': nothing binds its parameter '{parameter.Name}' of type {parameter.ParameterType.Name}.");
}
