namespace Dledger.ClusterSimulation.Networks;

/// <summary>A connection that one process opened to another; each end may learn of its end at another moment.</summary>
internal sealed class Connection
{
    private bool _isOpenAtOpener = true;
    private bool _isOpenAtAcceptor = true;

    public Connection(SimulatedCluster cluster, SimulatedTransport opener, SimulatedTransport acceptor, long number)
    {
        Opener = opener;
        Acceptor = acceptor;
        Number = number;
        Requests = new Pipe(cluster, this, isRequests: true);
        Replies = new Pipe(cluster, this, isRequests: false);
    }

    public SimulatedTransport Opener { get; }

    public SimulatedTransport Acceptor { get; }

    public long Number { get; }

    public Pipe Requests { get; }

    public Pipe Replies { get; }

    /// <summary>Nobody knows of it any more.</summary>
    public bool IsGone => !_isOpenAtOpener && !_isOpenAtAcceptor;

    public bool IsOpenAt(SimulatedTransport end) =>
        end.IsAlive && (end == Opener ? _isOpenAtOpener : end == Acceptor && _isOpenAtAcceptor);

    public SimulatedTransport OtherEnd(SimulatedTransport end) => end == Opener ? Acceptor : Opener;

    /// <summary>Marks an end as closed; false when it was before.</summary>
    public bool TryClose(SimulatedTransport end)
    {
        var wasOpen = end == Opener ? _isOpenAtOpener : _isOpenAtAcceptor;
        if (end == Opener)
        {
            _isOpenAtOpener = false;
        }
        else
        {
            _isOpenAtAcceptor = false;
        }

        return wasOpen;
    }
}
