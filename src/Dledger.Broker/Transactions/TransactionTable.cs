using Dledger.Broker.Commands;
using Dledger.Broker.Naming;
using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Transactions;

/// <summary>
/// Transactions: the open ones, those whose copies are owed, the newest decisions, the newest discarded. Replicated state, owned by
/// the apply loop.
/// </summary>
internal sealed class TransactionTable(SeededDefect defect)
{
    private readonly SortedDictionary<long, HalfTransaction> _open = [];
    private readonly SortedSet<(long At, long Id)> _due = [];
    private readonly SortedDictionary<long, HalfTransaction> _owed = [];
    private readonly Dictionary<int, int> _messagesByTopic = [];
    private readonly Queue<DiscardedTransaction> _discarded = new();
    private int _messages;

    /// <summary>Not decided, by id.</summary>
    public IReadOnlyCollection<HalfTransaction> Open => _open.Values;

    /// <summary>Given up, and not yet copied to the topic of such messages; by id.</summary>
    public IReadOnlyCollection<HalfTransaction> Owed => _owed.Values;

    /// <summary>The oldest first.</summary>
    public IReadOnlyCollection<DiscardedTransaction> Discarded => _discarded;

    public DecisionWindow Decisions { get; } = new(Limits.TransactionDecisionsMax);

    /// <summary>Log time of the next check; <see cref="long.MaxValue"/> without open ones.</summary>
    public long NextCheckAt => _due.Count == 0 ? long.MaxValue : _due.Min.At;

    /// <summary>What the log must keep; null: nothing.</summary>
    public LogPosition? OldestNeeded
    {
        get
        {
            var oldest = long.MaxValue;
            foreach (var id in _open.Keys)
            {
                oldest = id;
                break;
            }

            foreach (var id in _owed.Keys)
            {
                oldest = Math.Min(oldest, id);
                break;
            }

            return oldest == long.MaxValue ? null : new LogPosition(oldest);
        }
    }

    public HalfTransaction? Find(long id) => _open.GetValueOrDefault(id);

    public HalfTransaction? FindOwed(long id) => _owed.GetValueOrDefault(id);

    public DiscardedTransaction? FindDiscarded(long id) => _discarded.FirstOrDefault(entry => entry.Id == id);

    /// <summary>Null when so many more messages may wait for a decision.</summary>
    public BrokerFailure? CheckRoom(int topicId, int count)
    {
        if (_messagesByTopic.GetValueOrDefault(topicId) + count > Limits.HalfMessagesPerTopicMax)
        {
            return new BrokerFailure(
                BrokerError.Busy,
                $"{_messagesByTopic[topicId]} messages of the topic wait for the decision of their producers; the limit is "
                + $"{Limits.HalfMessagesPerTopicMax}. Decide them, or wait until their checks are used up");
        }

        return _messages + count > Limits.HalfMessagesMax
            ? new BrokerFailure(
                BrokerError.Busy,
                $"{_messages} messages wait for the decision of their producers; the limit is {Limits.HalfMessagesMax}. "
                + "Decide them, or wait until their checks are used up")
            : null;
    }

    /// <summary>Applies a HalfMessage record. Null on success.</summary>
    public BrokerFailure? Add(TopicState topic, in RecordView record, LogPosition position, long logTime)
    {
        var mark = HalfMark.Read(record);
        var id = position.Value - mark.Distance;
        if (mark.Distance == 0)
        {
            if (CheckRoom(topic.Id, mark.Count) is { } full)
            {
                return full;
            }

            var first = mark.FirstCheckMicroseconds > 0
                ? mark.FirstCheckMicroseconds
                : topic.View.Settings.Checks.FirstMicroseconds;
            Insert(new HalfTransaction
            {
                Id = id,
                TopicId = topic.Id,
                QueueId = record.QueueId,
                MessageId = System.Text.Encoding.UTF8.GetString(record.Key),
                StoredAt = logTime,
                Count = mark.Count,
                NextCheckAt = logTime + first,
            });
        }

        if (Find(id) is not { } half)
        {
            return new BrokerFailure(BrokerError.Busy, "the first message of the transaction was refused");
        }

        half.Parts.Add(new HalfPart(position, record.Length));
        return null;
    }

    /// <summary>Applies an EndTransaction record: all of its transactions end so, or none. Null on success.</summary>
    public BrokerFailure? End(EndTransactionCommand command, long logTime)
    {
        foreach (var id in command.Ids)
        {
            if (Refuse(id, command.Decision) is { } failure)
            {
                return failure;
            }
        }

        foreach (var id in command.Ids)
        {
            if (Find(id) is not { } half)
            {
                continue;
            }

            if (command.Decision == TransactionDecision.Committed)
            {
                half.Published = 0;
            }
            else
            {
                Discard(half, command.Decision, command.Decider, logTime);
            }
        }

        return null;
    }

    /// <summary>Null when a transaction may end so, or has.</summary>
    public BrokerFailure? Refuse(long id, TransactionDecision wanted)
    {
        if (_open.ContainsKey(id))
        {
            return null;
        }

        var isCommit = wanted == TransactionDecision.Committed;
        return Decisions.Find(id) switch
        {
            TransactionDecision.None => Invalid(
                "the transaction is not known: it was decided long ago, its topic was deleted, or it is not of this cluster"),
            TransactionDecision.Committed => isCommit
                ? null
                : Invalid("the transaction was committed already; it cannot be rolled back"),
            TransactionDecision.RolledBack => isCommit
                ? Invalid("the transaction was rolled back already; it cannot be committed")
                : null,
            TransactionDecision.ChecksUsedUp => isCommit
                ? Invalid("the transaction was given up because nobody decided it while its checks lasted")
                : null,
            _ => isCommit ? Invalid("the transaction was given up with the part of the log that held it") : null,
        };
    }

    /// <summary>Whether a copy takes the place of a committed message. The last one ends the transaction.</summary>
    public bool TryPublish(in TransactionReference reference)
    {
        if (Find(reference.Id) is not { } half || half.Published != reference.Part)
        {
            return false;
        }

        half.Published++;
        if (half.Published == half.Count)
        {
            if (defect == SeededDefect.TransactionPublishedTwice)
            {
                half.Published = -1;
                return true;
            }

            Remove(half);
            Decisions.Add(half.Id, TransactionDecision.Committed);
        }

        return true;
    }

    /// <summary>Applies a TransactionCheck record; the ones that are to be asked about now.</summary>
    public List<HalfTransaction> Check(TransactionCheckCommand command, TopicTable topics, long logTime)
    {
        var asked = new List<HalfTransaction>(command.Ids.Count);
        foreach (var id in command.Ids)
        {
            // Decided meanwhile, or asked about by another leader.
            if (Find(id) is not { } half || half.NextCheckAt > logTime || topics.Find(half.TopicId) is not { } topic)
            {
                continue;
            }

            var checks = topic.View.Settings.Checks;
            if (half.Checks >= checks.CountMax)
            {
                Discard(half, TransactionDecision.ChecksUsedUp, TransactionDecider.Rule, logTime);
                _owed.Add(half.Id, half);
                continue;
            }

            _due.Remove((half.NextCheckAt, half.Id));
            half.Checks++;
            half.NextCheckAt = logTime + checks.IntervalMicroseconds;
            _due.Add((half.NextCheckAt, half.Id));
            asked.Add(half);
        }

        return asked;
    }

    /// <summary>Whether a copy takes the place of a message that was given up. The last one ends what is owed.</summary>
    public bool TryForward(in TransactionReference reference)
    {
        if (FindOwed(reference.Id) is not { } half)
        {
            return false;
        }

        var expected = Math.Max(half.Published, 0);
        if (expected != reference.Part)
        {
            return false;
        }

        half.Published = expected + 1;
        if (half.Published == half.Count)
        {
            _owed.Remove(half.Id);
        }

        return true;
    }

    /// <summary>The ids whose check is due, at most so many, the longest due first.</summary>
    public List<long> TakeDue(long logTime, int countMax)
    {
        var ids = new List<long>();
        foreach (var (at, id) in _due)
        {
            if (at > logTime || ids.Count == countMax)
            {
                break;
            }

            ids.Add(id);
        }

        return ids;
    }

    /// <summary>The log is forgotten before a position; whatever lay there undecided is over.</summary>
    public void Forget(LogPosition start, long logTime)
    {
        foreach (var half in _open.Values.TakeWhile(half => half.Id < start.Value).ToList())
        {
            Discard(half, TransactionDecision.Forgotten, TransactionDecider.Rule, logTime);
        }

        foreach (var id in _owed.Keys.TakeWhile(id => id < start.Value).ToList())
        {
            _owed.Remove(id);
        }
    }

    /// <summary>A topic is deleted: nothing of it is left.</summary>
    public void ForgetTopic(int topicId)
    {
        foreach (var half in _open.Values.Where(half => half.TopicId == topicId).ToList())
        {
            Remove(half);
        }

        foreach (var half in _owed.Values.Where(half => half.TopicId == topicId).ToList())
        {
            _owed.Remove(half.Id);
        }

        var kept = _discarded.Where(entry => entry.TopicId != topicId).ToList();
        _discarded.Clear();
        kept.ForEach(_discarded.Enqueue);
    }

    /// <summary>Puts what a checkpoint says in place.</summary>
    public void Restore(HalfTransaction half, bool isOwed)
    {
        if (isOwed)
        {
            _owed.Add(half.Id, half);
        }
        else
        {
            Insert(half);
        }
    }

    /// <inheritdoc cref="Restore(HalfTransaction, bool)"/>
    public void Restore(DiscardedTransaction entry) => _discarded.Enqueue(entry);

    private static BrokerFailure Invalid(string detail) => new(BrokerError.InvalidTransaction, detail);

    private void Insert(HalfTransaction half)
    {
        _open.Add(half.Id, half);
        _due.Add((half.NextCheckAt, half.Id));
        _messagesByTopic[half.TopicId] = _messagesByTopic.GetValueOrDefault(half.TopicId) + half.Count;
        _messages += half.Count;
    }

    private void Remove(HalfTransaction half)
    {
        _open.Remove(half.Id);
        _due.Remove((half.NextCheckAt, half.Id));
        _messages -= half.Count;
        var left = _messagesByTopic[half.TopicId] - half.Count;
        if (left == 0)
        {
            _messagesByTopic.Remove(half.TopicId);
        }
        else
        {
            _messagesByTopic[half.TopicId] = left;
        }
    }

    private void Discard(HalfTransaction half, TransactionDecision decision, TransactionDecider decider, long logTime)
    {
        Remove(half);
        Decisions.Add(half.Id, decision);
        _discarded.Enqueue(DiscardedTransaction.Of(half, decision, decider, logTime));
        if (_discarded.Count > Limits.DiscardedTransactionsMax)
        {
            _discarded.Dequeue();
        }
    }
}
