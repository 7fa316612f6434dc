using Dledger.Storage.Logs;

namespace Dledger.Replication.Loops;

/// <summary>Runs the loops of a node. Production: <see cref="ThreadLoopHost"/>.</summary>
internal interface ILoopHost
{
    /// <summary>Gives a loop its turns until it asks for no more.</summary>
    ILoopRun Run(ILoop loop);

    /// <summary>Lets spare segments be prepared until the preparer is disposed.</summary>
    void Run(SegmentPreparer preparer);

    /// <summary>Runs something that waits for loops to end, where that blocks none of them.</summary>
    Task WaitAside(Action wait);
}

/// <summary>A loop that was started.</summary>
internal interface ILoopRun
{
    /// <summary>Waits until the loop has ended; false when it has not within the patience.</summary>
    bool Join(TimeSpan patience);
}
