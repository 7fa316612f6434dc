using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.ClusterSimulation.Scenarios;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>What a group was given that an operator replays messages to, and what it was to be given (I64).</summary>
/// <remarks>
/// Receipt handles name the record of their delivery, and the log says where replays are, so it is known which deliveries a replay is the
/// reason of. A message is known to be finished from the answer to its ack on, until a replay names it.
/// </remarks>
internal sealed class ReplayHistory(SimulatedCluster cluster, ReplayScenario scenario)
{
    public const string Topic = "archive";
    public const string Group = "rereaders";
    public const string IdPrefix = "r:";

    private readonly HashSet<string> _invoked = new(StringComparer.Ordinal);
    private readonly List<StoredMessage> _stored = [];
    private readonly Dictionary<(int Queue, long Offset), Progress> _progress = [];
    private readonly List<Func<StoredMessage, bool>> _requests = [];
    private readonly Dictionary<int, long> _commits = [];
    private int _receivesInvoked;
    private int _receivesEnded;

    public ReplayScenario Scenario => scenario;

    public SimulationRandom Random { get; } = new(scenario.Seed);

    /// <summary>Committed messages of the topic, in the order of the log.</summary>
    public IReadOnlyList<StoredMessage> Messages => _stored;

    public static bool Owns(string messageId) => messageId.StartsWith(IdPrefix, StringComparison.Ordinal);

    public void Invoke(string messageId) => _invoked.Add(messageId);

    /// <summary>A message was committed.</summary>
    public void Stored(StoredMessage message)
    {
        cluster.Checks.Check("I42", _invoked.Contains(message.Id), $"{message.Id} is in the log, but nobody sent it");
        _stored.Add(message);
    }

    /// <summary>A replay is asked for; from now on a record may name what it selects.</summary>
    public void Requested(Func<StoredMessage, bool> selects) => _requests.Add(selects);

    /// <summary>Nothing more can come of a request.</summary>
    public void Ended(Func<StoredMessage, bool> selects) => _requests.Remove(selects);

    /// <summary>
    /// The messages of a selection that are certainly finished, and stay so: an earlier request without an answer may still put back what
    /// it selects.
    /// </summary>
    public List<StoredMessage> FindFinished(Func<StoredMessage, bool> selects) => _stored.FindAll(message => selects(message)
        && !cluster.Oracle.IsGone(message)
        && Of(message).IsFinished
        && !_requests.Exists(earlier => earlier(message)));

    /// <summary>A delivery as a trace names it.</summary>
    public static string Describe(DeliveredMessage message) =>
        $"{message.MessageId} ({message.QueueId}/{message.QueueOffset}, attempt {message.Attempt})";

    /// <summary>A Replay record is in the committed log.</summary>
    public void Observed(LogPosition position, ReplayCommand command)
    {
        foreach (var range in command.Ranges)
        {
            for (var offset = range.First; offset < range.End; offset++)
            {
                var message = _stored.Find(each => each.QueueId == command.QueueId && each.Offset == offset);
                cluster.Checks.Check(
                    "I64",
                    message is not null && _requests.Exists(selects => selects(message)),
                    $"{command.QueueId}/{offset} ({message?.Id ?? "not stored"}) is replayed, but nobody asked for it");
                var progress = Of(message!);
                if (progress.IsFinished)
                {
                    cluster.Marks.Reach("finished message replayed");
                }

                progress.Replays.Add(new Replay(position.Value, _receivesEnded, progress.IsFinished));
                progress.IsFinished = false;
            }
        }
    }

    /// <summary>Where the group stands, as the leader says.</summary>
    public void OffsetRead(int queueId, long offset)
    {
        cluster.Checks.Check(
            "I64",
            offset >= _commits.GetValueOrDefault(queueId),
            $"{Group} stood at {_commits.GetValueOrDefault(queueId)} in queue {queueId}, now at {offset}");
        _commits[queueId] = offset;
    }

    public void ReceiveInvoked() => _receivesInvoked++;

    public void ReceiveEnded() => _receivesEnded++;

    /// <summary>Messages came.</summary>
    public void Delivered(IReadOnlyList<DeliveredMessage> batch)
    {
        foreach (var message in batch)
        {
            Delivered(message);
        }

        foreach (var lane in batch.Where(static message => message.MessageGroup is not null)
            .GroupBy(static message => (message.QueueId, message.MessageGroup)))
        {
            cluster.Checks.Check(
                "I64",
                lane.Zip(lane.Skip(1)).All(static pair => pair.First.QueueOffset.Value < pair.Second.QueueOffset.Value),
                $"{Group} is given message group {lane.Key} out of order");
        }
    }

    /// <summary>An ack is sent.</summary>
    public void AckInvoked(DeliveredMessage message) => Of(message).AckInvoked = true;

    /// <summary>An ack succeeded: unless a replay came since its delivery, the message is finished.</summary>
    public void Acked(DeliveredMessage message)
    {
        var (progress, delivery) = (Of(message), DeliveryOf(message));
        progress.IsFinished = progress.Replays.TrueForAll(replay => replay.Position < delivery);
        progress.FinishedBefore = progress.IsFinished ? cluster.Oracle.End.Value : progress.FinishedBefore;
    }

    /// <summary>What has to be delivered again and was not; null for nothing.</summary>
    public string? DescribeOpen()
    {
        var open = _stored.Where(message => !cluster.Oracle.IsGone(message) && IsOpen(Of(message))).ToList();
        return open.Count == 0
            ? null
            : $"{Group}: {open.Count}, for example {open[0].Id} ({open[0].QueueId}/{open[0].Offset})";
    }

    private static bool IsOpen(Progress progress) =>
        !progress.AckInvoked
        || (progress.Replays.FindLast(static replay => replay.WasFinished) is { } last && progress.Delivery <= last.Position);

    private void Delivered(DeliveredMessage message)
    {
        var stored = cluster.Oracle.FindAt(message.Position);
        cluster.Checks.Check(
            "I7",
            stored is not null && stored.Id == message.MessageId && stored.QueueId == message.QueueId
                && stored.Offset == message.QueueOffset.Value && stored.Body.AsSpan().SequenceEqual(message.Body.Span),
            $"{Group} is given {message.MessageId} at {message.QueueId}/{message.QueueOffset}");
        var (progress, delivery) = (Of(message), DeliveryOf(message));
        cluster.Checks.Check(
            "I64",
            !progress.IsFinished || delivery < progress.FinishedBefore,
            $"{Group} is given {message.MessageId} by delivery {delivery}, finished before {progress.FinishedBefore}, not replayed since");
        var last = progress.Replays.FindLast(replay => replay.Position < delivery);
        if (last is { WasFinished: true })
        {
            cluster.Marks.Reach("replayed message delivered");
            cluster.Checks.Check(
                "I64",
                message.Attempt <= 1 + _receivesInvoked - last.EndedBefore,
                $"{Group} is given {message.MessageId} in attempt {message.Attempt} after its replay at {last.Position}");
        }

        if (delivery <= progress.Delivery)
        {
            return;
        }

        cluster.Checks.Check(
            "I64",
            message.Attempt > progress.Attempt || progress.Replays.Exists(replay => replay.Position > progress.Delivery),
            $"{Group} is given {message.MessageId} in attempt {message.Attempt}, it had attempt {progress.Attempt} before");
        (progress.Delivery, progress.Attempt) = (delivery, message.Attempt);
    }

    private long DeliveryOf(DeliveredMessage message)
    {
        cluster.Checks.Check(
            "I7", cluster.Receipts.TryDecode(message.ReceiptHandle, out var receipt), $"{message.ReceiptHandle} is no receipt handle");
        return receipt.Delivery.DeliveryId;
    }

    private Progress Of(StoredMessage message) => Of(message.QueueId, message.Offset);

    private Progress Of(DeliveredMessage message) => Of(message.QueueId, message.QueueOffset.Value);

    private Progress Of(int queue, long offset)
    {
        if (!_progress.TryGetValue((queue, offset), out var progress))
        {
            _progress.Add((queue, offset), progress = new Progress());
        }

        return progress;
    }

    private sealed record Replay(long Position, int EndedBefore, bool WasFinished);

    private sealed class Progress
    {
        public List<Replay> Replays { get; } = [];

        /// <summary>The newest delivery, and its attempt.</summary>
        public long Delivery { get; set; }

        public int Attempt { get; set; }

        public bool AckInvoked { get; set; }

        /// <summary>Certainly finished, and no record names it since.</summary>
        public bool IsFinished { get; set; }

        /// <summary>Where the committed log ended when that became known.</summary>
        public long FinishedBefore { get; set; }
    }
}
