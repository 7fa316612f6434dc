using System.Text;
using Dledger.Broker.Messages;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>
/// What producers asked for and were told. Every attempt has an id of its own, but for runs with repeats: there every message has.
/// </summary>
internal sealed class ProduceHistory(SimulatedCluster cluster)
{
    private readonly HashSet<string> _invoked = [];
    private readonly HashSet<string> _rejected = [];
    private readonly HashSet<string> _unknown = [];
    private readonly List<(StoredMessage Message, AppendedMessage Answer)> _acked = [];
    private readonly Dictionary<int, long> _ackedEnds = [];
    private LogPosition _ackedEnd;
    private int _number;

    /// <summary>The topic's number in the log; 0 before its first message.</summary>
    public int TopicId { get; private set; }

    public int AckedCount => _acked.Count;

    /// <summary>The offset behind the highest one of a queue that was acked.</summary>
    public long AckedEndOf(int queue) => _ackedEnds.GetValueOrDefault(queue);

    public IReadOnlyList<(StoredMessage Message, AppendedMessage Answer)> Acked => _acked;

    /// <summary>A call begins; the position behind which its message must come to lie (I41).</summary>
    public (string Id, byte[] Body, LogPosition After) Invoke(int bodyBytes)
    {
        var id = $"m{++_number}";
        _invoked.Add(id);
        return (id, BodyOf(id, bodyBytes), _ackedEnd);
    }

    public void Ack(string id, LogPosition after, AppendedMessage answer)
    {
        // Of a repeat whose message has left its queue the position is not known any more.
        var hasPosition = !answer.IsDuplicate || answer.Position > LogPosition.Zero;
        var stored = hasPosition ? cluster.Oracle.FindAt(answer.Position) : cluster.Oracle.Find(id);
        cluster.Checks.Check(
            "I25",
            stored is not null && stored.Id == id && stored.QueueId == answer.QueueId
                && stored.Offset == answer.QueueOffset.Value,
            $"{id} is acked at {answer}, the committed log has there {stored?.ToString() ?? "nothing"}");
        cluster.Checks.Check(
            "I41", !hasPosition || answer.Position >= after, $"{id} was acked at {answer.Position}, but {after} was acked before it began");
        if (answer.IsDuplicate)
        {
            cluster.Marks.Reach("repeat answered with the first result");
            cluster.Checks.Check("I42", cluster.Scenario.HasRepeats, $"{id} was sent once and answered as a repeat");
        }

        _acked.Add((stored!, answer));
        _ackedEnds[answer.QueueId] = Math.Max(AckedEndOf(answer.QueueId), answer.QueueOffset.Value + 1);
        _ackedEnd = LogPosition.Max(_ackedEnd, stored!.Position + 1);
    }

    /// <summary>Nothing happened, and nothing will.</summary>
    public void Reject(string id)
    {
        cluster.Marks.Reach("produce refused");
        _rejected.Add(id);
        cluster.Checks.Check("I42", cluster.Oracle.Find(id) is null, $"{id} was rejected, but it is in the log");
    }

    public void Unknown(string id)
    {
        cluster.Marks.Reach("produce with unknown outcome");
        _unknown.Add(id);
        NoteLateStore(id);
    }

    /// <summary>A message was committed.</summary>
    public void Stored(StoredMessage message)
    {
        cluster.Checks.Check("I42", _invoked.Contains(message.Id), $"{message.Id} is in the log, but nobody sent it");
        cluster.Checks.Check("I42", !_rejected.Contains(message.Id), $"{message.Id} was rejected, but it is in the log");
        cluster.Checks.Check(
            "I40",
            message.Body.AsSpan().SequenceEqual(BodyOf(message.Id, message.Body.Length)),
            $"the body of {message.Id} in the log is not the one that was sent");
        TopicId = message.TopicId;
        NoteLateStore(message.Id);
    }

    private void NoteLateStore(string id)
    {
        if (_unknown.Contains(id) && cluster.Oracle.Find(id) is not null)
        {
            cluster.Marks.Reach("produce with unknown outcome was stored");
        }
    }

    // The id and then a pattern made from it, so that a body of another message or position shows.
    private static byte[] BodyOf(string id, int bytes)
    {
        var body = new byte[bytes];
        var name = Encoding.ASCII.GetBytes(id);
        for (var i = 0; i < bytes; i++)
        {
            body[i] = (byte)(name[i % name.Length] + (i / name.Length));
        }

        return body;
    }
}
