using Dledger.Storage.Logs;

namespace Dledger.Replication.Loops;

/// <summary>Runs the loops of a node. Production: <see cref="ThreadLoopHost"/>.</summary>
internal interface ILoopHost
{
    /// <summary>Gives a loop its turns until it asks for no more.</summary>
    ILoopRun Run(ILoop loop);

    /// <summary>Lets spare segments be prepared until the preparer is disposed.</summary>
    void Run(SegmentPreparer preparer);
}

/// <summary>A loop that was started.</summary>
internal interface ILoopRun
{
    /// <summary>Ends with true when the loop has had its last turn, with false when the patience is over before.</summary>
    Task<bool> WaitForEndAsync(TimeSpan patience);
}
