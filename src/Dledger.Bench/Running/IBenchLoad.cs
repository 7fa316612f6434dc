using Dledger.Bench.Measuring;

namespace Dledger.Bench.Running;

/// <summary>Work that goes on during a phase, measured by one meter.</summary>
public interface IBenchLoad
{
    LoadMeter Meter { get; }

    /// <summary>The phase ends with this load, however much time is left.</summary>
    bool EndsPhase { get; }

    /// <summary>Works until the end of the window or until its own end. Failures of the measured system are counted, not thrown.</summary>
    Task RunAsync(LoadWindow window, CancellationToken cancellationToken);
}
