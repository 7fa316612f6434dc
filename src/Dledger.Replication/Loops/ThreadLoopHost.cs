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
        var run = new LoopThread(loop);
        new Thread(run.Drive) { IsBackground = true, Name = loop.Name }.Start();
        return run;
    }

    /// <inheritdoc/>
    public void Run(SegmentPreparer preparer) => preparer.Start();

    private sealed class LoopThread(ILoop loop) : ILoopRun
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Drive()
        {
            for (var next = loop.Turn(); !next.IsNever; next = loop.Turn())
            {
                loop.Signal.Wait(next.Milliseconds);
            }

            _ended.SetResult();
        }

        public async Task<bool> WaitForEndAsync(TimeSpan patience)
        {
            try
            {
                await _ended.Task.WaitAsync(patience);
                return true;
            }
            catch (TimeoutException)
            {
                return false;
            }
        }
    }
}
