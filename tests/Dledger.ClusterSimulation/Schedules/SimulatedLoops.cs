using Dledger.ClusterSimulation.Nodes;
using Dledger.Replication.Loops;
using Dledger.Replication.Writing;
using Dledger.Storage.Logs;

namespace Dledger.ClusterSimulation.Schedules;

/// <summary>
/// Gives the loops of one process their turns: a random moment after they are woken, the log writer after the time that the
/// disk takes, none while the process is paused.
/// </summary>
internal sealed class SimulatedLoops(SimulatedCluster cluster, SimulatedNode node) : ILoopHost
{
    private readonly List<LoopRun> _runs = [];
    private readonly int _life = node.Life;

    /// <inheritdoc/>
    public ILoopRun Run(ILoop loop)
    {
        var run = new LoopRun(this, loop);
        _runs.Add(run);
        run.Plan(run.Reaction());
        return run;
    }

    /// <inheritdoc/>
    public void Run(SegmentPreparer preparer) => cluster.Events.After(
        cluster.Random.NextInterval(cluster.Scenario.PreparerInterval), () =>
        {
            if (node.Life == _life)
            {
                if (!node.IsPaused)
                {
                    node.Guard(() => preparer.Step());
                }

                Run(preparer);
            }
        });

    /// <summary>Plans a turn for each loop that was woken.</summary>
    public void Poll()
    {
        for (var i = 0; i < _runs.Count; i++)
        {
            _runs[i].Poll();
        }
    }

    private sealed class LoopRun(SimulatedLoops loops, ILoop loop) : ILoopRun
    {
        private readonly TaskCompletionSource<bool> _ended = new();
        private long _plannedAt = long.MaxValue;

        private SimulatedCluster Cluster => loops.Cluster;

        private SimulatedNode Node => loops.Node;

        public Task<bool> WaitForEndAsync(TimeSpan patience) => _ended.Task;

        public long Reaction() => loop is LogWriter
            ? Node.Disk.NextLatency()
            : Cluster.Random.NextInterval(Cluster.Scenario.Reaction);

        public void Poll()
        {
            if (!_ended.Task.IsCompleted && loop.Signal.TryTake())
            {
                Plan(Reaction());
            }
        }

        public void Plan(long delay)
        {
            var moment = Cluster.Events.Now + delay;
            if (moment < _plannedAt)
            {
                _plannedAt = moment;
                Cluster.Events.At(moment, () => TakeTurn(moment));
            }
        }

        private void TakeTurn(long moment)
        {
            if (moment != _plannedAt || Node.Life != loops._life || _ended.Task.IsCompleted)
            {
                return;
            }

            _plannedAt = long.MaxValue;
            if (Node.IsPaused)
            {
                Plan(Node.PausedUntil - Cluster.Events.Now);
                return;
            }

            loop.Signal.TryTake();
            var next = NextTurn.Never;
            Node.Guard(() => next = loop.Turn());
            if (Node.Life != loops._life)
            {
                return;
            }

            Cluster.Trace.Mix(moment, Node.Id.Value, next.Milliseconds);
            if (next.IsNever)
            {
                _ended.SetResult(true);
            }
            else if (next.Milliseconds == 0)
            {
                Plan(Reaction());
            }
            else if (next.Milliseconds > 0)
            {
                Plan(next.Milliseconds * 1_000L);
            }
        }
    }

    private SimulatedCluster Cluster => cluster;

    private SimulatedNode Node => node;
}
