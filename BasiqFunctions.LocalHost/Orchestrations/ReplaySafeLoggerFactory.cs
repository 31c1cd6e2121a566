namespace BasiqFunctions.LocalHost.Orchestrations;

/// <summary>Loggers that stay silent while an orchestrator is replayed, so that a restart does not repeat what was logged.</summary>
internal sealed class ReplaySafeLoggerFactory(ILoggerFactory inner) : ILoggerFactory
{
    public bool IsReplaying { get; set; }

    public ILogger CreateLogger(string categoryName) => new ReplaySafeLogger(this, inner.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
        // The factory behind belongs to the host.
    }

    private sealed class ReplaySafeLogger(ReplaySafeLoggerFactory factory, ILogger logger) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => !factory.IsReplaying && logger.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (!factory.IsReplaying)
                logger.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}
