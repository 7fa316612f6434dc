using Dledger.Replication.Queues;

namespace Dledger.Replication.Loops;

/// <summary>
/// One single-threaded activity of a node, cut into turns so that whoever owns the threads decides when each turn runs: a
/// thread in production, one scheduler for all nodes in a simulation.
/// </summary>
internal interface ILoop
{
    /// <summary>Name of the thread that runs it.</summary>
    string Name { get; }

    /// <summary>Set when there is something to do before the wait that the last turn asked for has ended.</summary>
    WakeSignal Signal { get; }

    /// <summary>Does what there is to do now. Never throws, never waits for another loop.</summary>
    NextTurn Turn();
}
