using Dledger.ClusterSimulation.Nodes;
using Dledger.Replication.Loops;
using Dledger.Replication.Queues;
using Dledger.Replication.Writing;
using Dledger.Storage.Logs;

namespace Dledger.ClusterSimulation.Schedules;

/// <summary>
/// Gives the loops of one process their turns: a random moment after they are woken, the log writer after the time that the
/// disk takes, none while the process is paused.
/// </summary>
internal sealed class SimulatedLoops(SimulatedCluster cluster, SimulatedNode node) : ILoopHost
{
    private const long PreparerIntervalHealed = 100_000;

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
        cluster.Random.NextInterval(PreparerInterval), () =>
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

    private sealed class LoopRun : ILoopRun
    {
        private readonly SimulatedLoops _loops;
        private readonly ILoop _loop;
        private readonly WakeSignal _signal;
        private readonly TaskCompletionSource<bool> _ended = new();
        private readonly Action _takeTurn;
        private readonly Action _turn;
        private NextTurn _next;
        private bool _isEnded;
        private long _plannedAt = long.MaxValue;

        public LoopRun(SimulatedLoops loops, ILoop loop)
        {
            _loops = loops;
            _loop = loop;
            _signal = loop.Signal;
            _takeTurn = TakeTurn;
            _turn = () => _next = _loop.Turn();
        }

        private SimulatedCluster Cluster => _loops.Cluster;

        private SimulatedNode Node => _loops.Node;

        public Task<bool> WaitForEndAsync(TimeSpan patience) => _ended.Task;

        public long Reaction() => _loop is LogWriter
            ? Node.Disk.NextLatency()
            : Cluster.Random.NextInterval(Cluster.Scenario.Reaction);

        public void Poll()
        {
            if (!_isEnded && _signal.TryTake())
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
                Cluster.Events.At(moment, _takeTurn);
            }
        }

        private void TakeTurn()
        {
            // A turn that was moved forward leaves its old event behind.
            var moment = Cluster.Events.Now;
            if (moment != _plannedAt || Node.Life != _loops._life || _isEnded)
            {
                return;
            }

            _plannedAt = long.MaxValue;
            if (Node.IsPaused)
            {
                // Who goes on first when the process wakes up is open, among the loops as between them and the calls that wait.
                Plan(Node.PausedUntil - Cluster.Events.Now + Cluster.Random.NextInterval(Cluster.Scenario.Reaction));
                return;
            }

            _signal.TryTake();
            _next = NextTurn.Never;
            Node.Guard(_turn);
            if (Node.Life != _loops._life)
            {
                return;
            }

            var next = _next;
            Cluster.Trace.Mix(moment, Node.Id.Value, next.Milliseconds);
            if (next.IsNever)
            {
                _isEnded = true;
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

    // The last phase gives it little to do; looking for it more often would be most of that phase's events.
    private long PreparerInterval => cluster.IsHealed
        ? Math.Max(PreparerIntervalHealed, cluster.Scenario.PreparerInterval)
        : cluster.Scenario.PreparerInterval;

    private SimulatedCluster Cluster => cluster;

    private SimulatedNode Node => node;
}
