using Dledger.Broker.Commands;
using Dledger.ClusterSimulation.Scenarios;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>What was sent to a topic with a quota and given to a group with one, and what passed (I63).</summary>
/// <remarks>
/// A leader begins with full buckets, so each term is looked at alone. Of sends it is known when the leader took them: every window
/// between two of them is bounded. Of Lease records only the log time is known, which may lie behind the moment of their choice: the
/// windows that begin with the term are bounded.
/// </remarks>
internal sealed class QuotaHistory(SimulatedCluster cluster, QuotaScenario scenario)
{
    public const string Topic = "limited";
    public const string Group = "limited";

    private const string IdPrefix = "u:";

    // Log time follows the wall clock by a hundredth at most.
    private const double LogTimeShare = 0.99;

    private readonly Dictionary<string, QuotaSend> _sends = new(StringComparer.Ordinal);
    private readonly List<QuotaSend> _stored = [];
    private int _number;
    private int _topicId;
    private Term _term;
    private long _termBegan;
    private long _givenMessages;
    private long _givenBytes;
    private int _largestMessages;
    private long _largestBytes;

    // Messages of each client in this term, and the most of one lease.
    private readonly Dictionary<long, (long Sum, int Largest)> _givenTo = [];

    public QuotaScenario Scenario => scenario;

    public SimulationRandom Random { get; } = new(scenario.Seed);

    public static bool Owns(string messageId) => messageId.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <summary>A send begins; each attempt has ids of its own.</summary>
    public QuotaSend Invoke(int count, string client)
    {
        var send = new QuotaSend(client, [.. Enumerable.Range(0, count).Select(_ => $"{IdPrefix}{++_number}")]);
        foreach (var id in send.Ids)
        {
            _sends.Add(id, send);
        }

        return send;
    }

    /// <summary>A send was refused: none of it may ever be in the log.</summary>
    public void Refused(QuotaSend send)
    {
        cluster.Marks.Reach("send over its quota refused");
        send.IsRefused = true;
        cluster.Checks.Check(
            "I63", send.StoredCount == 0, $"{send.Ids[0]} was refused by a quota, and {send.StoredCount} of it are in the log");
    }

    /// <summary>A send was answered: all of it is in the log.</summary>
    public void Acked(QuotaSend send) => cluster.Checks.Check(
        "I25", send.StoredCount == send.Ids.Count, $"{send.Ids[0]} is acked, and {send.StoredCount} of {send.Ids.Count} are in the log");

    /// <summary>A leadership begins, by the log.</summary>
    public void TermBegan(Term term, long logTime)
    {
        _term = term;
        _termBegan = logTime;
        _givenMessages = 0;
        _givenBytes = 0;
        _largestMessages = 0;
        _largestBytes = 0;
        _givenTo.Clear();
    }

    /// <summary>A message was committed.</summary>
    public void Stored(StoredMessage message)
    {
        cluster.Checks.Check("I42", _sends.ContainsKey(message.Id), $"{message.Id} is in the log, but nobody sent it");
        var send = _sends[message.Id];
        cluster.Checks.Check("I63", !send.IsRefused, $"{message.Id} was refused by a quota, but it is in the log");
        _topicId = message.TopicId;
        if (send.StoredCount++ == 0)
        {
            send.Term = _term;
            _stored.Add(send);
        }

        send.Bytes += message.Size;
    }

    /// <summary>Messages were handed out, or at least asked for.</summary>
    /// <param name="lease">The record.</param>
    /// <param name="logTime">Of its frame.</param>
    /// <param name="sizeOf">The size of the record of a queue's message.</param>
    public void Leased(LeaseCommand lease, long logTime, Func<int, long, int> sizeOf)
    {
        if (_topicId == 0 || lease.TopicId != _topicId)
        {
            return;
        }

        var (count, bytes) = (0, 0L);
        foreach (var queue in lease.Queues)
        {
            foreach (var range in queue.Leased)
            {
                count += range.Count;
                bytes += Enumerable.Range(0, range.Count).Sum(i => (long)sizeOf(queue.QueueId, range.First + i));
            }
        }

        _givenMessages += count;
        _givenBytes += bytes;
        _largestMessages = Math.Max(_largestMessages, count);
        _largestBytes = Math.Max(_largestBytes, bytes);
        var elapsed = (logTime - _termBegan) / LogTimeShare;
        Check("messages were given", scenario.Receive.MessagesPerSecond, _givenMessages, _largestMessages, elapsed);
        Check("bytes were given", scenario.Receive.BytesPerSecond, _givenBytes, _largestBytes, elapsed);
        var (sum, largest) = _givenTo.GetValueOrDefault(lease.ClientHash);
        var given = (Sum: sum + count, Largest: Math.Max(largest, count));
        _givenTo[lease.ClientHash] = given;
        Check("messages were given to a client", scenario.Client.MessagesPerSecond, given.Sum, given.Largest, elapsed);
    }

    /// <summary>All sends of all leaderships.</summary>
    public void Check()
    {
        foreach (var sends in _stored.GroupBy(send => send.Term))
        {
            var inOrder = sends.OrderBy(send => send.TakenAt).ToList();
            CheckWindows("messages were taken", scenario.Produce.MessagesPerSecond, inOrder, send => send.Ids.Count);
            CheckWindows("bytes were taken", scenario.Produce.BytesPerSecond, inOrder, send => send.Bytes);
            foreach (var ofClient in inOrder.GroupBy(send => send.Client))
            {
                CheckWindows(
                    "messages of a client were taken",
                    scenario.Client.MessagesPerSecond,
                    [.. ofClient],
                    send => send.Ids.Count);
            }
        }
    }

    // From each send to each later one. There are few.
    private void CheckWindows(string what, long rate, List<QuotaSend> sends, Func<QuotaSend, long> costOf)
    {
        for (var first = 0; first < sends.Count; first++)
        {
            var (sum, largest) = (0L, 0L);
            for (var last = first; last < sends.Count; last++)
            {
                sum += costOf(sends[last]);
                largest = Math.Max(largest, costOf(sends[last]));
                Check(what, rate, sum, largest, sends[last].TakenAt - sends[first].TakenAt);
            }
        }
    }

    private void Check(string what, long rate, long sum, long largest, double elapsed)
    {
        if (rate > 0)
        {
            var allowed = Math.Max(rate, largest) + (rate * elapsed / 1_000_000 * (1 + cluster.Scenario.ClockError)) + 1;
            cluster.Checks.Check(
                "I63", sum <= allowed, $"{sum} {what} within {elapsed} us of term {_term}; at {rate} per second {allowed} are allowed");
        }
    }
}

/// <summary>One send to the topic with a quota.</summary>
internal sealed class QuotaSend(string client, IReadOnlyList<string> ids)
{
    public string Client => client;

    public IReadOnlyList<string> Ids => ids;

    /// <summary>When a node was called.</summary>
    public long TakenAt { get; set; }

    public bool IsRefused { get; set; }

    /// <summary>How many of it are in the log.</summary>
    public int StoredCount { get; set; }

    /// <summary>Their size.</summary>
    public long Bytes { get; set; }

    /// <summary>In which term.</summary>
    public Term Term { get; set; }
}
