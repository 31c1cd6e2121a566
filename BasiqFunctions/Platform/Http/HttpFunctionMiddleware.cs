using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Middleware;

namespace BasiqFunctions.Platform.Http;

/// <summary>Has <see cref="HttpAnswers"/> run each HTTP function under a Functions host, as LocalHost does.</summary>
internal sealed class HttpFunctionMiddleware(HttpAnswers answers) : IFunctionsWorkerMiddleware
{
    /// <inheritdoc />
    public async Task Invoke(FunctionContext context, FunctionExecutionDelegate next)
    {
        if (context.GetHttpContext() is not { } http)
        {
            await next(context);
            return;
        }

        var result = context.GetInvocationResult();
        result.Value = await answers.RunAsync(
            http,
            context.FunctionDefinition.Name,
            async cancellation =>
            {
                await next(new WithDeadline(context, cancellation));
                return (IResult)context.GetInvocationResult().Value!;
            },
            context.CancellationToken);
    }

    /// <summary>The context with a token that is cancelled at the deadline, too: the one that the function's parameter is bound to.</summary>
    private sealed class WithDeadline(FunctionContext inner, CancellationToken cancellation) : FunctionContext
    {
        public override string InvocationId => inner.InvocationId;

        public override string FunctionId => inner.FunctionId;

        public override TraceContext TraceContext => inner.TraceContext;

        public override BindingContext BindingContext => inner.BindingContext;

        public override RetryContext RetryContext => inner.RetryContext;

        public override FunctionDefinition FunctionDefinition => inner.FunctionDefinition;

        public override IInvocationFeatures Features => inner.Features;

        public override CancellationToken CancellationToken => cancellation;

        public override IServiceProvider InstanceServices
        {
            get => inner.InstanceServices;
            set => inner.InstanceServices = value;
        }

        public override IDictionary<object, object> Items
        {
            get => inner.Items;
            set => inner.Items = value;
        }
    }
}
