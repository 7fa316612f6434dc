namespace Dledger.Testing.Ports;

/// <summary>Ports that nobody else who asks <see cref="LoopbackPorts"/> gets before this is disposed or the process ends.</summary>
public sealed class PortLease : IDisposable
{
    private readonly IReadOnlyList<FileStream> _locks;

    internal PortLease(IReadOnlyList<int> ports, IReadOnlyList<FileStream> locks)
    {
        Ports = ports;
        _locks = locks;
    }

    public IReadOnlyList<int> Ports { get; }

    public void Dispose()
    {
        foreach (var held in _locks)
        {
            held.Dispose();
        }
    }
}
