using System.Text;
using Dledger.Primitives;
using Dledger.Storage.Frames;
using Dledger.Storage.Records;
using Dledger.Storage.Snapshots;

namespace Dledger.Replication.Tests.Clusters;

/// <summary>
/// A state machine whose state is the list of message bodies with their positions, in order of application.
/// </summary>
internal sealed class RecordingMachine : IStateMachine
{
    private readonly Lock _lock = new();
    private readonly List<(LogPosition Position, string Body)> _messages = [];
    private readonly List<Leadership> _leaderships = [];
    private LogPosition _applied = LogPosition.Zero;
    private uint _chain;

    public LogPosition RestoredTo { get; init; }

    public Exception? ApplyFault { get; set; }

    /// <summary>When set, Apply waits for it.</summary>
    public ManualResetEvent? ApplyGate { get; set; }

    public int StopCount { get; private set; }

    public int MaintainCount { get; private set; }

    public long NextDueLogTime { get; set; } = long.MaxValue;

    public Action<long>? OnDue { get; set; }

    public IReadOnlyList<(LogPosition Position, string Body)> Messages
    {
        get
        {
            lock (_lock)
            {
                return [.. _messages];
            }
        }
    }

    public IReadOnlyList<Leadership> Leaderships
    {
        get
        {
            lock (_lock)
            {
                return [.. _leaderships];
            }
        }
    }

    /// <summary>Checksum over the headers of all applied frames.</summary>
    public (LogPosition Applied, uint Chain) Digest
    {
        get
        {
            lock (_lock)
            {
                return (_applied, _chain);
            }
        }
    }

    /// <summary>How often the log was opened.</summary>
    public int RestoreCount { get; private set; }

    public LogPosition Restore(IRecoveredLog log)
    {
        lock (_lock)
        {
            RestoreCount++;
            _messages.Clear();
            _chain = 0;
            _applied = RestoredTo;
            return RestoredTo;
        }
    }

    public void Apply(in CommittedFrame frame)
    {
        if (ApplyFault is { } fault)
        {
            throw fault;
        }

        ApplyGate?.WaitOne();
        Assert.Equal(_applied, frame.Summary.Base);
        var positions = new List<LogPosition>();
        lock (_lock)
        {
            var records = new RecordEnumerator(frame.Payload.Span, frame.Summary.Base + 64);
            while (records.MoveNext())
            {
                if (records.Current.Kind == RecordKind.Message)
                {
                    positions.Add(records.CurrentPosition);
                    _messages.Add((records.CurrentPosition, Encoding.UTF8.GetString(records.Current.Body)));
                }
            }

            _applied = frame.Summary.End;
            _chain = Crc32C.Append(_chain, BitConverter.GetBytes(frame.Summary.HeaderCrc));
        }

        Assert.True(frame.Proposals.Count == 0 || frame.Proposals.Count == positions.Count);
        for (var i = 0; i < frame.Proposals.Count; i++)
        {
            ((TestProposal)frame.Proposals[i]).Complete(positions[i]);
        }
    }

    public void Handle(IStateMachineRequest request) => ((TestRequest)request).Handle();

    public void LeadershipChanged(Leadership leadership)
    {
        lock (_lock)
        {
            _leaderships.Add(leadership);
        }
    }

    public void Due(long logTimeNow) => OnDue?.Invoke(logTimeNow);

    /// <summary>What the next house-keeping leaves to be done.</summary>
    public Action? DiskWork { get; set; }

    public Action? Maintain(LogPosition durable)
    {
        MaintainCount++;
        var work = DiskWork;
        DiskWork = null;
        return work;
    }

    public SnapshotSource? OpenSnapshot(in ChainTail logStart, ReadOnlyMemory<byte> attachment) => null;

    public void Stop() => StopCount++;
}
