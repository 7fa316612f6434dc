using Dledger.Broker.Messages;

namespace Dledger.ClusterSimulation.Oracles;

/// <summary>What the consumers of one group were given and what they answered.</summary>
internal sealed class ConsumeHistory(
    SimulatedCluster cluster, string group, bool isOrdered, int attemptsMax, Func<string, bool>? isWanted = null)
{
    private readonly Dictionary<(int Queue, long Offset), Progress> _progress = [];
    private readonly Dictionary<int, long> _firstOpen = [];
    private readonly Dictionary<int, (int Seen, List<StoredMessage> Messages)> _unsettled = [];
    private int _lostAnswers;
    private int _receivesUnderWay;
    private int _openCount;
    private int _openGivenUp;
    private string? _open;
    private bool _isOpenKnown;

    public string Group => group;

    public bool IsOrdered => isOrdered;

    public int AttemptsMax => attemptsMax;

    /// <summary>A receive begins; <see cref="AnswerLost"/> or <see cref="Delivered(IReadOnlyList{DeliveredMessage}, long)"/> ends it.</summary>
    public void ReceiveInvoked() => _receivesUnderWay++;

    /// <summary>Messages came; the moment at which the call that brought them began.</summary>
    public void Delivered(IReadOnlyList<DeliveredMessage> batch, long begun)
    {
        _receivesUnderWay--;
        if (isOrdered)
        {
            CheckOrder(batch);
        }

        foreach (var message in batch)
        {
            Delivered(message, begun);
        }
    }

    private void Delivered(DeliveredMessage message, long begun)
    {
        var stored = cluster.Oracle.FindAt(message.Position);
        cluster.Checks.Check(
            "I7",
            stored is not null && stored.Id == message.MessageId && stored.QueueId == message.QueueId
                && stored.Offset == message.QueueOffset.Value && stored.Body.AsSpan().SequenceEqual(message.Body.Span),
            $"{group} is given {message.MessageId} at {message.QueueId}/{message.QueueOffset}, "
                + $"committed there is {stored?.ToString() ?? "nothing"}");
        var progress = Of(message.QueueId, message.QueueOffset.Value);

        // A leader that was frozen with an answer in its hand sends it when the next one has delivered the message again.
        var isLate = message.Attempt < progress.Attempt && begun < progress.DeliveredAt;
        cluster.Checks.Check(
            "I44",
            isLate || message.Attempt > progress.Attempt,
            $"{group} is given {Name(message)} in attempt {message.Attempt} after attempt {progress.Attempt}");
        cluster.Checks.Check(
            "I44", message.Attempt <= attemptsMax, $"{group} is given {Name(message)} in attempt {message.Attempt}");
        cluster.Checks.Check(
            "I45",
            progress.AckedAt >= begun,
            $"{group} acked {Name(message)} at {progress.AckedAt} and is given it by a call that began at {begun}");
        cluster.Checks.Check(
            "I45",
            progress.ForwardedAt >= begun,
            $"{group} moved {Name(message)} to the dead letters at {progress.ForwardedAt} and is given it at {begun}");
        if (isLate)
        {
            return;
        }

        if (message.Attempt > 1)
        {
            cluster.Marks.Reach("message delivered again");
        }

        progress.Attempt = message.Attempt;
        progress.LostBefore = _lostAnswers;
        progress.DeliveredAt = cluster.Events.Now;
    }

    /// <summary>An ack is on its way: from now on the message may be finished.</summary>
    public void AckInvoked(DeliveredMessage message) => Of(message.QueueId, message.QueueOffset.Value).PendingAcks++;

    /// <summary>Nobody knows what became of an ack.</summary>
    public void AckLost(DeliveredMessage message)
    {
        var progress = Of(message.QueueId, message.QueueOffset.Value);
        progress.PendingAcks--;
        progress.LostAcks++;
    }

    /// <summary>An ack was refused: its handle was stale, or nothing happened.</summary>
    public void AckRefused(DeliveredMessage message, bool isStale)
    {
        Of(message.QueueId, message.QueueOffset.Value).PendingAcks--;
        if (isStale)
        {
            cluster.Marks.Reach("ack refused for a stale handle");
        }
    }

    /// <summary>An ack succeeded; <paramref name="begun"/> is when it was sent.</summary>
    public void Acked(DeliveredMessage message, long begun)
    {
        var progress = Of(message.QueueId, message.QueueOffset.Value);
        progress.PendingAcks--;

        // A stale handle of a finished message or of a dead letter may be told that all is well; that of a leased one
        // may not.
        var isStale = progress.Attempt > message.Attempt && progress.DeliveredAt < begun && !progress.MayBeFinished
            && !progress.IsForwarded && !progress.MayHaveHadAllAttempts
            && !cluster.Oracle.IsGone(message.QueueId, message.QueueOffset.Value);
        cluster.Checks.Check(
            "I45",
            !isStale,
            $"{group}: the ack of attempt {message.Attempt} of {Name(message)} had effect, "
                + $"attempt {progress.Attempt} was under way");
        progress.AckedAt = Math.Min(progress.AckedAt, cluster.Events.Now);
    }

    /// <summary>The copy that a consumer asked for is there.</summary>
    public void Forwarded(DeliveredMessage message)
    {
        var progress = Of(message.QueueId, message.QueueOffset.Value);
        progress.ForwardedAt = Math.Min(progress.ForwardedAt, cluster.Events.Now);
        cluster.Marks.Reach("message moved to the dead letters on request");
    }

    /// <summary>A copy in the dead letter topic was read.</summary>
    public void DeadLetter(DeliveredMessage letter)
    {
        var origin = cluster.Oracle.Find(letter.MessageId);
        cluster.Checks.Check("I43", origin is not null, $"dead letter of {letter.MessageId}, which was never stored");
        var progress = Of(origin!.QueueId, origin.Offset);
        cluster.Checks.Check(
            "I43",
            progress.DeadLetterAt is null || progress.DeadLetterAt == letter.QueueOffset,
            $"{group}: {letter.MessageId} is twice in the dead letters, at {progress.DeadLetterAt} and {letter.QueueOffset}");
        cluster.Checks.Check(
            "I43",
            progress.MayHaveHadAllAttempts || progress.IsForwarded,
            $"{group}: {letter.MessageId} is a dead letter after attempt {progress.Attempt} of {attemptsMax}");
        if (progress.DeadLetterAt is null)
        {
            cluster.Marks.Reach("dead letter stored");
        }

        progress.DeadLetterAt = letter.QueueOffset;
    }

    /// <summary>A receive was cut off: messages may have been leased to nobody, each of them once.</summary>
    public void AnswerLost()
    {
        _receivesUnderWay--;
        _lostAnswers++;
    }

    /// <summary>A consumer asks for the copy in the dead letter topic before the attempts are used up.</summary>
    public void ForwardInvoked(DeliveredMessage message) => Of(message.QueueId, message.QueueOffset.Value).IsForwarded = true;

    /// <summary>
    /// How many of the topic's messages the group has neither finished nor in its dead letters, with examples; null for
    /// none. Looks again only after something happened.
    /// </summary>
    public string? DescribeOpen()
    {
        if (!_isOpenKnown || _openCount != cluster.Oracle.MessageCount || _openGivenUp != cluster.Oracle.GivenUpCount)
        {
            _isOpenKnown = true;
            _openGivenUp = cluster.Oracle.GivenUpCount;
            _openCount = cluster.Oracle.MessageCount;
            var open = cluster.Oracle.Queues
                .Where(queue => queue.Key.Topic == cluster.Producing.TopicId)
                .SelectMany(queue => Open(queue.Messages))
                .ToList();
            _open = open.Count == 0
                ? null
                : $"{open.Count}, for example {string.Join(", ", open.Take(3).Select(Describe))};";
        }

        return _open;
    }

    // Those for which this can never change again are not looked at twice.
    private IEnumerable<StoredMessage> Open(IReadOnlyList<StoredMessage> queue)
    {
        if (queue.Count == 0)
        {
            return [];
        }

        var number = queue[0].QueueId;
        var (seen, unsettled) = _unsettled.GetValueOrDefault(number, (0, []));
        unsettled.AddRange(queue.Skip(seen));
        _unsettled[number] = (queue.Count, unsettled);
        unsettled.RemoveAll(message => cluster.Oracle.IsGone(message) || isWanted?.Invoke(message.Id) == false
            || _progress.TryGetValue((message.QueueId, message.Offset), out var progress)
            && progress.IsSettled);
        return unsettled.Where(message => !_progress.TryGetValue((message.QueueId, message.Offset), out var progress)
            || !progress.MayBeFinished);
    }

    private string Describe(StoredMessage message) =>
        _progress.TryGetValue((message.QueueId, message.Offset), out var progress)
            ? $"{group}: {message.Id} ({message.QueueId}/{message.Offset}) in attempt {progress.Attempt} at {progress.DeliveredAt}"
            : $"{group}: {message.Id} ({message.QueueId}/{message.Offset}) never delivered";

    // Every message of the queue before the batch must be done with, as far as anybody can know. Inside of a batch the
    // consumer keeps the order itself.
    private void CheckOrder(IReadOnlyList<DeliveredMessage> batch)
    {
        foreach (var messages in batch.GroupBy(message => message.QueueId))
        {
            var lowest = messages.First();
            var first = _firstOpen.GetValueOrDefault(lowest.QueueId);
            while (first < lowest.QueueOffset.Value && Of(lowest.QueueId, first) is var before
                && (before.MayBeFinished || before.MayHaveHadAllAttempts || before.IsForwarded
                    || cluster.Oracle.IsGone(lowest.QueueId, first)))
            {
                first++;
            }

            _firstOpen[lowest.QueueId] = first;
            cluster.Checks.Check(
                "I44",
                first >= lowest.QueueOffset.Value,
                $"{group} is ordered and given {Name(lowest)} while offset {first} is not finished");
            cluster.Checks.Check(
                "I44",
                messages.Zip(messages.Skip(1)).All(pair => pair.First.QueueOffset < pair.Second.QueueOffset),
                $"{group} is ordered and given {string.Join(", ", messages.Select(Name))}");
        }
    }

    private static string Name(DeliveredMessage message) => $"{message.MessageId} ({message.QueueId}/{message.QueueOffset})";

    private Progress Of(int queue, long offset)
    {
        _isOpenKnown = false;
        if (!_progress.TryGetValue((queue, offset), out var progress))
        {
            _progress.Add((queue, offset), progress = new Progress(this));
        }

        return progress;
    }

    private sealed class Progress(ConsumeHistory history)
    {
        public int Attempt { get; set; }

        public long DeliveredAt { get; set; }

        public long AckedAt { get; set; } = long.MaxValue;

        public int PendingAcks { get; set; }

        public int LostAcks { get; set; }

        /// <summary>Lost answers of the group before the last delivery.</summary>
        public int LostBefore { get; set; }

        /// <summary>When a move to the dead letters was confirmed.</summary>
        public long ForwardedAt { get; set; } = long.MaxValue;

        /// <summary>A move to the dead letters was asked for.</summary>
        public bool IsForwarded { get; set; }

        public bool MayBeFinished => AckedAt < long.MaxValue || PendingAcks > 0 || LostAcks > 0;

        public QueueOffset? DeadLetterAt { get; set; }

        /// <summary>Finished, or counted as such, for ever.</summary>
        public bool IsSettled => AckedAt < long.MaxValue || LostAcks > 0 || DeadLetterAt is not null;

        /// <summary>Attempts that nobody heard of went to calls whose answer was lost, or is still on its way.</summary>
        public bool MayHaveHadAllAttempts =>
            Attempt + (history._lostAnswers - LostBefore) + history._receivesUnderWay >= history.AttemptsMax;
    }
}
