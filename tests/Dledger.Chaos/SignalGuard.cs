using System.Runtime.InteropServices;

namespace Dledger.Chaos;

/// <summary>Turns signals into an orderly end of the run, which cleans up.</summary>
internal sealed class SignalGuard : IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];

    public SignalGuard(CancellationTokenSource source, params ReadOnlySpan<PosixSignal> signals)
    {
        foreach (var signal in signals)
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                source.Cancel();
            }));
        }
    }

    public void Dispose() => _registrations.ForEach(registration => registration.Dispose());
}
