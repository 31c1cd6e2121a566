using Microsoft.Extensions.Options;

namespace BasiqFunctions.Sandbox.Control;

/// <summary>The options in force: those of the configuration until <c>/_sandbox/options</c> changes them.</summary>
internal sealed class LiveOptions
{
    private volatile SandboxOptions _current;

    public LiveOptions(IOptions<SandboxOptions> configured)
    {
        Configured = configured.Value;
        ThrowIfBad(Configured);
        _current = Configured.Copy();
    }

    /// <summary>What the process was started with; <c>PUT</c> starts from the defaults but keeps its key and state file.</summary>
    public SandboxOptions Configured { get; }

    public SandboxOptions Current
    {
        get => _current;
        set
        {
            _current = value;
            Changed?.Invoke();
        }
    }

    /// <summary>Called after each change.</summary>
    public event Action? Changed;

    private static void ThrowIfBad(SandboxOptions options)
    {
        if (options.Problems() is { Count: > 0 } problems)
            throw new OptionsValidationException(SandboxOptions.SectionName, typeof(SandboxOptions), problems);
    }
}
