using Dledger.Broker.StateMachine;
using Dledger.Primitives;
using Dledger.Replication;
using Dledger.Storage.Disks;
using Dledger.Storage.Keys;
using Dledger.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.Lookups;

/// <summary>The key index of a broker: what is applied goes in, and what it lacks is read from the log.</summary>
/// <remarks>
/// Everything that has a topic and a message id goes in, whether it took effect or not: a queue's index tells that, see
/// <see cref="LookupService"/>. Owned by the apply loop but for <see cref="Keys"/>.
/// </remarks>
internal sealed class MessageIndex
{
    /// <summary>Log bytes that are read at a time to fill a gap; ten times a second at most.</summary>
    private const int GapBytesPerTurn = 2 << 20;

    private readonly Func<IReplicatedLog?> _log;
    private readonly SeededDefect _defect;

    public MessageIndex(
        BrokerSurroundings surroundings,
        IRecoveredLog recovered,
        LogPosition applied,
        Func<IReplicatedLog?> log,
        ILogger logger)
    {
        _log = log;
        _defect = surroundings.Options.Defect;
        Keys = KeyIndex.Open(
            surroundings.Disk,
            DiskPaths.Join(surroundings.Directory.TrimEnd('/'), GroupLayout.Keys),
            surroundings.Options.KeyIndexSizes,
            applied,
            recovered.Holds,
            Read,
            reason => BrokerEvents.KeyIndexReduced(logger, reason));
    }

    /// <summary>For searches; any thread.</summary>
    public KeyIndex Keys { get; }

    /// <summary>Takes in a record that is being applied.</summary>
    public void Add(in RecordView record, LogPosition position)
    {
        // For the simulation: copies are forgotten, so a message that moved cannot be found where it is.
        if (_defect == SeededDefect.CopiesNotIndexed && record.Kind is not (RecordKind.Message or RecordKind.MessageBatch))
        {
            return;
        }

        if (record.Kind == RecordKind.MessageBatch)
        {
            foreach (var (hash, distance) in new BatchKeyEnumerator(record))
            {
                Keys.Add(hash, position + distance);
            }

            return;
        }

        var sink = new IndexSink(Keys, position);
        MessageKeys.AddTo(record, ref sink);
    }

    // Any thread, one at a time.
    private (LogPosition Reached, uint HeaderCrc) Read(LogPosition from, LogPosition limit, Action<ulong, long> add)
    {
        var reached = (Position: from, HeaderCrc: 0u);
        if (_log() is not { } log)
        {
            return reached;
        }

        var walk = new LogWalk(log, from);
        while (reached.Position < limit && reached.Position - from < GapBytesPerTurn)
        {
            if (!walk.TryNext(limit, out var record, out var position))
            {
                break;
            }

            if (record.Kind == RecordKind.MessageBatch)
            {
                foreach (var (hash, distance) in new BatchKeyEnumerator(record))
                {
                    add(hash, position.Value + distance);
                }
            }
            else
            {
                var sink = new GapSink(add, position.Value);
                MessageKeys.AddTo(record, ref sink);
            }

            if (walk.Frame is { } frame && walk.Position >= frame.End)
            {
                reached = (frame.End, frame.HeaderCrc);
            }
        }

        return reached;
    }

    private readonly struct IndexSink(KeyIndex keys, LogPosition position) : IKeySink
    {
        public void Add(ulong hash) => keys.Add(hash, position);
    }

    private readonly struct GapSink(Action<ulong, long> add, long position) : IKeySink
    {
        public void Add(ulong hash) => add(hash, position);
    }
}
