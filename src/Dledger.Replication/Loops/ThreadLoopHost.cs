using Dledger.Storage.Logs;

namespace Dledger.Replication.Loops;

/// <summary>
/// Gives each loop a thread of its own: no work of the thread pool, however much it is starved, stops a heart-beat.
/// </summary>
internal sealed class ThreadLoopHost : ILoopHost
{
    /// <inheritdoc/>
    public ILoopRun Run(ILoop loop)
    {
        var thread = new Thread(() => Drive(loop)) { IsBackground = true, Name = loop.Name };
        thread.Start();
        return new LoopThread(thread);
    }

    /// <inheritdoc/>
    public void Run(SegmentPreparer preparer) => preparer.Start();

    /// <inheritdoc/>
    public Task WaitAside(Action wait) => Task.Factory.StartNew(
        wait, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static void Drive(ILoop loop)
    {
        for (var next = loop.Turn(); !next.IsNever; next = loop.Turn())
        {
            loop.Signal.Wait(next.Milliseconds);
        }
    }

    private sealed class LoopThread(Thread thread) : ILoopRun
    {
        public bool Join(TimeSpan patience) => thread.Join(patience);
    }
}
