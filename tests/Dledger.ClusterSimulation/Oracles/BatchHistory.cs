using System.Globalization;
using System.Text;
using Dledger.Broker;
using Dledger.Broker.Messages;
using Dledger.Broker.Streaming;
using Dledger.Storage.Records;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>
/// What producers of batches were told, beside what the log holds (I77): a message is stored once, however often and in whatever company it
/// is sent, and each is answered with its own place.
/// </summary>
internal sealed class BatchHistory(SimulatedCluster cluster)
{
    private const string IdPrefix = "s:";

    private readonly Dictionary<string, byte[]> _sent = new(StringComparer.Ordinal);
    private readonly HashSet<string> _attempted = new(StringComparer.Ordinal);
    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StoredMessage> _stored = new(StringComparer.Ordinal);
    private readonly Dictionary<int, long> _ackedEnds = [];
    private int _number;

    /// <summary>The topic's number in the log; 0 before its first message.</summary>
    public int TopicId { get; private set; }

    /// <summary>All that is stored, by id.</summary>
    public IReadOnlyCollection<StoredMessage> Stored => _stored.Values;

    public static bool Owns(string messageId) => messageId.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <summary>The offset behind the highest one of a queue that was acked.</summary>
    public long AckedEndOf(int queueId) => _ackedEnds.GetValueOrDefault(queueId);

    /// <summary>A message to be sent, with an id of its own and a body that shows whose it is.</summary>
    public MessageDraft Invoke(int bodyBytes)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{IdPrefix}{++_number}");
        var body = new byte[bodyBytes];
        var name = Encoding.ASCII.GetBytes(id);
        for (var i = 0; i < bodyBytes; i++)
        {
            body[i] = (byte)(name[i % name.Length] + (i / name.Length));
        }

        _sent.Add(id, body);
        return new MessageDraft { Body = body, MessageId = id };
    }

    /// <summary>A record with a message is in the log: true when it is the first of that message, which takes a place in a queue.</summary>
    public bool IsFirst(string id)
    {
        if (_stored.ContainsKey(id))
        {
            cluster.Marks.Reach("repeat in the log without effect");
            return false;
        }

        return true;
    }

    /// <summary>A message has a place.</summary>
    public void Joined(StoredMessage message)
    {
        cluster.Checks.Check(
            "I77",
            _sent.TryGetValue(message.Id, out var body) && body.AsSpan().SequenceEqual(message.Body),
            $"{message.Id} is in the log, but nobody sent it so");
        cluster.Checks.Check("I77", !_refused.Contains(message.Id), $"{message.Id} was refused, but it is in the log");
        TopicId = message.TopicId;
        _stored.Add(message.Id, message);
    }

    /// <summary>A batch was answered: all of it is stored.</summary>
    /// <param name="batch">What was sent.</param>
    /// <param name="queueId">The queue that its records name.</param>
    /// <param name="outcome">The answer.</param>
    public void Acked(IReadOnlyList<MessageDraft> batch, int queueId, BatchOutcome outcome)
    {
        cluster.Checks.Check(
            "I77",
            outcome.Entries is null || outcome.Entries.Count == batch.Count,
            $"a batch of {batch.Count} messages from {batch[0].MessageId} on has {outcome.Entries?.Count} outcomes");
        StoredMessage? before = null;
        for (var i = 0; i < batch.Count; i++)
        {
            var answer = outcome.Entries is { } entries
                ? entries[i].Message
                : new AppendedMessage(outcome.QueueId, outcome.FirstOffset + i, outcome.FirstPosition, outcome.StoreTimeMicroseconds);
            var stored = CheckPlace(batch[i].MessageId, answer, isFirst: i == 0);
            if (answer.IsDuplicate)
            {
                continue;
            }

            cluster.Checks.Check(
                "I77",
                stored.QueueId == queueId
                    && (before is null || (stored.Offset == before.Offset + 1 && AreSideBySide(before, stored))),
                $"{stored} was sent to queue {queueId}; before it in its batch is {before}");
            before = stored;
            _ackedEnds[queueId] = Math.Max(AckedEndOf(queueId), stored.Offset + 1);
        }

        Attempted(batch);
    }

    /// <summary>Nobody knows what became of a batch.</summary>
    public void Unknown(IReadOnlyList<MessageDraft> batch)
    {
        cluster.Marks.Reach("produce with unknown outcome");
        Attempted(batch);
    }

    /// <summary>Nothing of a batch was stored by this call, and what was never sent before is nowhere.</summary>
    /// <param name="batch">What was sent.</param>
    /// <param name="isForgotten">It is not sent again.</param>
    public void Refused(IReadOnlyList<MessageDraft> batch, bool isForgotten)
    {
        foreach (var draft in batch.Where(draft => !_attempted.Contains(draft.MessageId)))
        {
            cluster.Checks.Check(
                "I77", !_stored.ContainsKey(draft.MessageId), $"{draft.MessageId} was refused, but it is in the log");
            if (isForgotten)
            {
                _refused.Add(draft.MessageId);
            }
        }
    }

    /// <summary>No number of a producer that sends one batch after the other is ever out of order.</summary>
    public void CheckNumbers(BrokerFailure? failure) => cluster.Checks.Check(
        "I77",
        failure?.Error is not (BrokerError.SequenceOutOfOrder or BrokerError.ProducerUnknown or BrokerError.ProducerFenced),
        $"a batch that follows the last one was answered {failure}");

    // Records are, or the rows of a compressed batch.
    private static bool AreSideBySide(StoredMessage before, StoredMessage next) =>
        next.Position == before.Position + before.Size || next.Position == before.Position + BatchRow.Bytes;

    private void Attempted(IReadOnlyList<MessageDraft> batch)
    {
        foreach (var draft in batch)
        {
            _attempted.Add(draft.MessageId);
        }
    }

    // Of the others only the first place of a run is remembered as a position.
    private StoredMessage CheckPlace(string id, AppendedMessage answer, bool isFirst)
    {
        var stored = _stored.GetValueOrDefault(id);
        cluster.Checks.Check("I77", stored is not null, $"{id} is acked at {answer}, but it is not in the log");
        cluster.Checks.Check(
            "I77", !answer.IsDuplicate || _attempted.Contains(id), $"{id} was sent once and is answered as a repeat");
        if (answer.IsDuplicate)
        {
            cluster.Marks.Reach("repeat answered with the first result");
        }

        var isForgotten = answer is { IsDuplicate: true, QueueId: -1 };
        cluster.Checks.Check(
            "I77",
            isForgotten
                || (stored!.QueueId == answer.QueueId && stored.Offset == answer.QueueOffset.Value
                    && (!isFirst || stored.Position == answer.Position || cluster.Oracle.IsGone(stored))),
            $"{id} is acked at {answer}, in the log it is {stored}");
        return stored!;
    }
}
