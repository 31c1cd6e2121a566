using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using BasiqFunctions.Platform.Telemetry;
using Microsoft.Extensions.DependencyInjection;

namespace BasiqFunctions.Tests.Hosting;

/// <summary>
/// Keeps what the app measures or, if everything is asked for, every measurement of every meter and every span of every source of
/// this process.
/// </summary>
internal sealed class TelemetryCapture : IDisposable
{
    private readonly ConcurrentQueue<Measurement> _measurements = [];
    private readonly ConcurrentQueue<string> _spans = [];
    private readonly ConcurrentDictionary<Instrument, bool> _instruments = [];
    private readonly MeterListener _meters = new();
    private readonly ActivityListener? _activities;

    /// <param name="everything">Tests that run at the same time are heard too, and feel it: only where none do.</param>
    public TelemetryCapture(bool everything = false)
    {
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (!everything && instrument.Meter.Name != Instruments.Name)
                return;
            _instruments[instrument] = true;
            listener.EnableMeasurementEvents(instrument);
        };
        _meters.SetMeasurementEventCallback<long>((i, value, tags, _) => Keep(i, value, tags));
        _meters.SetMeasurementEventCallback<int>((i, value, tags, _) => Keep(i, value, tags));
        _meters.SetMeasurementEventCallback<double>((i, value, tags, _) => Keep(i, value, tags));
        _meters.Start();
        if (!everything)
            return;
        _activities = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span => _spans.Enqueue(Describe(span)),
        };
        ActivitySource.AddActivityListener(_activities);
    }

    /// <summary>Everything that was said of spans: names, attributes, events, links, baggage, statuses.</summary>
    public string Spans => string.Join('\n', _spans);

    /// <summary>Everything that was said of metrics: names, descriptions and tags.</summary>
    public string Metrics => string.Join(
        '\n',
        _instruments.Keys.Select(i => $"{i.Meter.Name} {i.Name} {i.Unit} {i.Description}")
            .Concat(_measurements.Select(m => $"{m.Instrument.Name} {string.Join(' ', m.Tags)}")));

    /// <summary>The app's own instruments, of one host.</summary>
    public IReadOnlyList<Instrument> InstrumentsOf(IServiceProvider services) =>
        [.. _instruments.Keys.Where(i => IsOf(i, services))];

    /// <summary>What an instrument of one host measured, as it stands now.</summary>
    public IReadOnlyList<Measurement> Of(IServiceProvider services, string instrument) =>
        [.. _measurements.Where(m => m.Instrument.Name == instrument && IsOf(m.Instrument, services))];

    /// <summary>Sums of what an instrument of one host measured, by its tags' values.</summary>
    public IReadOnlyDictionary<string, double> SumsOf(IServiceProvider services, string instrument) =>
        Of(services, instrument)
            .GroupBy(m => string.Join(' ', m.Tags.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => t.Value)))
            .ToDictionary(g => g.Key, g => g.Sum(m => m.Value));

    /// <summary>Asks what is only measured when asked, such as the token's age.</summary>
    public void Observe() => _meters.RecordObservableInstruments();

    public void Dispose()
    {
        _meters.Dispose();
        _activities?.Dispose();
    }

    /// <summary>Tests run at once in one process; a host's instruments are its meter factory's.</summary>
    private static bool IsOf(Instrument instrument, IServiceProvider services) =>
        instrument.Meter.Name == Instruments.Name
        && ReferenceEquals(instrument.Meter.Scope, services.GetRequiredService<IMeterFactory>());

    private static string Describe(Activity span)
    {
        var text = new StringBuilder().Append(
            CultureInfo.InvariantCulture,
            $"{span.Source.Name} {span.OperationName} {span.DisplayName} {span.Status} {span.StatusDescription} {span.TraceStateString}");
        foreach (var (key, value) in span.TagObjects.Concat(span.Baggage.Select(b => KeyValuePair.Create(b.Key, (object?)b.Value))))
            text.Append(CultureInfo.InvariantCulture, $" {key}={value}");
        foreach (var happened in span.Events)
        {
            text.Append(' ').Append(happened.Name);
            foreach (var (key, value) in happened.Tags)
                text.Append(CultureInfo.InvariantCulture, $" {key}={value}");
        }

        foreach (var (key, value) in span.Links.SelectMany(link => link.Tags ?? []))
            text.Append(CultureInfo.InvariantCulture, $" {key}={value}");
        return text.ToString();
    }

    private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        _measurements.Enqueue(new Measurement(instrument, value, tags.ToArray()));

    /// <summary>One measurement.</summary>
    internal sealed record Measurement(Instrument Instrument, double Value, IReadOnlyList<KeyValuePair<string, object?>> Tags);
}
