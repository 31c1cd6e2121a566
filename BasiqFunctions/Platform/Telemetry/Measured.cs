using System.Diagnostics;

namespace BasiqFunctions.Platform.Telemetry;

/// <summary>Something under way that is measured when it ends. One that ends without an outcome was cancelled, or broke on our side.</summary>
internal sealed class Measured(Activity? span, Action<string> record) : IDisposable
{
    private string _outcome = "aborted";

    /// <summary>Says how it went.</summary>
    /// <param name="outcome">One of few words; anything but <see cref="Instruments.Success"/> is an error.</param>
    public void Ends(string outcome) => _outcome = outcome;

    public void Dispose()
    {
        record(_outcome);
        if (span is null)
            return;
        span.SetTag(Instruments.OutcomeTag, _outcome);
        if (_outcome is not Instruments.Success)
            span.SetStatus(ActivityStatusCode.Error);
        span.Dispose();
    }
}
