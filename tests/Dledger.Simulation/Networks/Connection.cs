using Dledger.Simulation.Nodes;

namespace Dledger.Simulation.Networks;

/// <summary>A connection from the node that opened it to another; each end may know of its end at another moment.</summary>
internal sealed class Connection(SimulatedNode opener, SimulatedNode acceptor, long number)
{
    public SimulatedNode Opener { get; } = opener;

    public SimulatedNode Acceptor { get; } = acceptor;

    public int OpenerLife { get; } = opener.Life;

    public int AcceptorLife { get; } = acceptor.Life;

    public long Number { get; } = number;

    public bool IsOpenAtOpener { get; set; } = true;

    public bool IsOpenAtAcceptor { get; set; } = true;

    /// <summary>No delivery to the acceptor before this moment: keeps the order.</summary>
    public long RequestsUntil { get; set; }

    /// <summary>No delivery to the opener before this moment.</summary>
    public long RepliesUntil { get; set; }

    public bool IsCurrent(bool toAcceptor) => toAcceptor
        ? IsOpenAtAcceptor && Acceptor.Core is not null && Acceptor.Life == AcceptorLife
        : IsOpenAtOpener && Opener.Core is not null && Opener.Life == OpenerLife;
}
