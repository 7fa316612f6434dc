using System.Text;
using Dledger.Broker;
using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.Transactions;
using Dledger.Storage.Records;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>
/// What producers of transactions asked for and were told, beside a plain reading of the committed log: which half messages are open,
/// and which copies count (I47).
/// </summary>
internal sealed class TransactionHistory(SimulatedCluster cluster)
{
    public const int ChecksMax = 3;

    /// <summary>Until the first check and between two, microseconds.</summary>
    public const long CheckInterval = 1_000_000;

    private readonly Dictionary<long, Half> _halves = [];
    private readonly Dictionary<string, Half> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TransactionResolution> _plans = new(StringComparer.Ordinal);
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);
    private readonly List<string> _visible = [];
    private readonly List<Half> _publishing = [];
    private int _number;

    /// <summary>A send of some messages begins; what its producer will say of them whenever it says anything.</summary>
    public (string Name, IReadOnlyList<string> MessageIds) Invoke(int count, TransactionResolution plan)
    {
        var name = $"x{++_number}";
        _plans.Add(name, plan);
        return (name, [.. Enumerable.Range(0, count).Select(part => $"{name}.{part}")]);
    }

    /// <summary>The answer of a producer that is asked about one of its messages.</summary>
    public TransactionResolution PlanOf(string name) => _plans.GetValueOrDefault(name);

    public static string NameOf(string messageId) => messageId[..messageId.IndexOf('.', StringComparison.Ordinal)];

    /// <summary>A committed record; true for the copy of a message that joins its queue by it.</summary>
    public bool Observe(in RecordView record, LogPosition position, long logTime)
    {
        switch (record.Kind)
        {
            case RecordKind.HalfMessage:
                Begin(record, position, logTime);
                return false;
            case RecordKind.EndTransaction:
                End(EndTransactionCommand.Decode(record.Body));
                return false;
            case RecordKind.TransactionCheck:
                Ask(TransactionCheckCommand.Decode(record.Body), logTime);
                return false;
            case RecordKind.TransactionPublish:
                return Publish(record);
            default:
                return false;
        }
    }

    /// <summary>What a frame publishes, it publishes as a whole.</summary>
    public void FrameEnded()
    {
        foreach (var half in _publishing)
        {
            cluster.Checks.Check(
                "I47",
                half.Published == half.MessageIds.Count,
                $"{half.Name} is committed, but {half.Published} of {half.MessageIds.Count} messages are visible with it");
        }

        _publishing.Clear();
    }

    /// <summary>The log is given up before a position.</summary>
    public void Forgotten(LogPosition start) => cluster.Checks.Check(
        "I47",
        !_halves.Values.Any(half => half.Decision == TransactionDecision.None && half.Id < start.Value),
        $"the log before {start} is given up, but a transaction there is not decided");

    /// <summary>A decision was acknowledged.</summary>
    public void Ended(string name, TransactionResolution resolution)
    {
        var decision = _byName[name].Decision;
        cluster.Checks.Check(
            "I47",
            resolution == TransactionResolution.Commit
                ? decision == TransactionDecision.Committed
                : decision is TransactionDecision.RolledBack or TransactionDecision.ChecksUsedUp,
            $"{resolution} of {name} is acknowledged, in the log it is {decision}");
    }

    /// <summary>A decision was refused, for one of these at least.</summary>
    public void Refused(IReadOnlyList<string> names, TransactionResolution resolution, BrokerFailure failure) => cluster.Checks.Check(
        "I47",
        resolution == TransactionResolution.Commit
            && names.Any(name => _byName[name].Decision == TransactionDecision.ChecksUsedUp),
        $"{resolution} of {string.Join(", ", names)} is refused ({failure.Detail}), in the log they are "
            + string.Join(", ", names.Select(name => _byName[name].Decision)));

    /// <summary>A consumer was given a message.</summary>
    public void Read(DeliveredMessage message)
    {
        var stored = cluster.Oracle.FindAt(message.Position);
        cluster.Checks.Check(
            "I47",
            stored is not null && stored.Id == message.MessageId && stored.Offset == message.QueueOffset.Value,
            $"{message.MessageId} is delivered from {message.Position}, published there is {stored?.ToString() ?? "nothing"}");
        cluster.Checks.Check(
            "I47",
            PlanOf(NameOf(message.MessageId)) == TransactionResolution.Commit,
            $"{message.MessageId} is delivered, but its producer never commits it");
        _read.Add(message.MessageId);
    }

    /// <summary>What is not as it must be in the end; null when nothing is left.</summary>
    public string? DescribeOpen()
    {
        var open = _halves.Values.Count(half => half.Decision == TransactionDecision.None);
        var unread = _visible.Count(id => !_read.Contains(id) && !cluster.Oracle.IsGone(cluster.Oracle.Find(id)!));
        return open + unread == 0 ? null : $"{open} transactions are open, {unread} messages were not read";
    }

    private void Begin(in RecordView record, LogPosition position, long logTime)
    {
        var mark = HalfMark.Read(record);
        var messageId = Encoding.UTF8.GetString(record.Key);
        var id = position.Value - mark.Distance;
        if (mark.Distance == 0)
        {
            var half = new Half(id, NameOf(messageId)) { NextCheckAt = logTime + CheckInterval };
            _halves.Add(id, half);
            _byName[half.Name] = half;
        }

        _halves[id].MessageIds.Add(messageId);
    }

    private void End(EndTransactionCommand command)
    {
        var halves = command.Ids.Select(id => _halves[id]).ToList();
        if (halves.Exists(half => half.Decision != TransactionDecision.None && !IsSame(half.Decision, command.Decision)))
        {
            return;
        }

        foreach (var half in halves.Where(half => half.Decision == TransactionDecision.None))
        {
            cluster.Checks.Check(
                "I47",
                (command.Decision == TransactionDecision.Committed) == (_plans[half.Name] == TransactionResolution.Commit),
                $"{half.Name} becomes {command.Decision}, its producer says {_plans[half.Name]}");
            half.Decision = command.Decision;
            if (command.Decision == TransactionDecision.Committed)
            {
                cluster.Marks.Reach(half.Checks > 0 ? "transaction committed after a check" : "transaction committed");
                _publishing.Add(half);
            }
            else
            {
                cluster.Marks.Reach("transaction rolled back");
            }
        }
    }

    private static bool IsSame(TransactionDecision present, TransactionDecision wanted) => wanted == TransactionDecision.Committed
        ? present == TransactionDecision.Committed
        : present is TransactionDecision.RolledBack or TransactionDecision.ChecksUsedUp;

    private void Ask(TransactionCheckCommand command, long logTime)
    {
        foreach (var half in command.Ids.Select(id => _halves[id]))
        {
            if (half.Decision != TransactionDecision.None || half.NextCheckAt > logTime)
            {
                continue;
            }

            if (half.Checks == ChecksMax)
            {
                cluster.Marks.Reach("transaction given up after its checks");
                half.Decision = TransactionDecision.ChecksUsedUp;
            }
            else
            {
                half.Checks++;
                half.NextCheckAt = logTime + CheckInterval;
            }
        }
    }

    private bool Publish(in RecordView record)
    {
        var reference = TransactionReference.Read(record);
        var half = _halves[reference.Id];
        if (!_publishing.Contains(half) || reference.Part != half.Published)
        {
            return false;
        }

        half.Published++;
        _visible.Add(half.MessageIds[reference.Part]);
        return true;
    }

    private sealed record Half(long Id, string Name)
    {
        public List<string> MessageIds { get; } = [];

        public long NextCheckAt { get; set; }

        public int Checks { get; set; }

        public int Published { get; set; }

        public TransactionDecision Decision { get; set; }
    }
}
