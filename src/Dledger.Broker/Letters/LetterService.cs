using Dledger.Broker.Commands;
using Dledger.Broker.Lookups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Proposals;
using Dledger.Broker.StateMachine;
using Dledger.Primitives;
using Dledger.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dledger.Broker.Letters;

/// <summary>What operators do with dead letters, on the leader. Any thread; records are read on the caller's.</summary>
internal sealed class LetterService(BrokerCalls calls, ILogger logger)
{
    /// <summary>Letters sent again by one call at most.</summary>
    public const int ResendMax = 100;

    /// <summary>Letters of one group that a list looks at; the rest is counted without its topic.</summary>
    private const int ListedMax = 10_000;

    /// <summary>Dead letters per group and origin topic; of all groups when none is named.</summary>
    public async ValueTask<(IReadOnlyList<LetterSummary> Letters, BrokerFailure? Failure)> ListAsync(
        string? group, CancellationToken cancellationToken)
    {
        if (group is not null && Names.CheckGroup(group) is { } violation)
        {
            return ([], BrokerFailure.Of(violation));
        }

        var (queues, failure) = await calls.LookAsync<(List<LetterQueue>, BrokerFailure?)>(
            state => (ListQueues(state, group), null), static reason => ([], reason), cancellationToken);
        var summaries = new List<LetterSummary>();
        foreach (var ofGroup in queues.GroupBy(queue => queue.Group))
        {
            var resent = ofGroup.Sum(queue => queue.ResentCount);
            var byTopic = new SortedDictionary<string, LetterSummary>(StringComparer.Ordinal);
            var left = ListedMax;
            foreach (var queue in ofGroup)
            {
                left -= await CountAsync(queue, resent, left, byTopic, cancellationToken);
            }

            summaries.AddRange(byTopic.Values);
        }

        return (summaries, failure);
    }

    /// <summary>A page of a group's letters.</summary>
    public async ValueTask<LetterPage> ReadAsync(
        string group, LetterPlace from, int countMax, CancellationToken cancellationToken)
    {
        if (Names.CheckGroup(group) is { } violation)
        {
            return LetterPage.Of(BrokerFailure.Of(violation));
        }

        var topic = Names.DeadLetterTopic(group);
        var (queueId, offset, queueCount) = (from.QueueId, from.Offset.Value, 0);
        while (true)
        {
            var place = new MessagePlace(topic, queueId, new QueueOffset(offset));
            var (records, failure) = await calls.Lookups.ReadRecordsAsync(place, countMax, cancellationToken);
            if (failure is { } reason)
            {
                return LetterPage.Of(reason.Error == BrokerError.TopicNotFound ? NoLetters(group) : reason);
            }

            queueCount = calls.Machine.Topics.Find(topic)?.QueueCount ?? 0;
            if (records.Count > 0)
            {
                var resent = await calls.LookAsync(
                    state => records.ConvertAll(record => state.Resent.Contains(
                        new LetterReference(state.Topics.Find(topic)?.Id ?? 0, queueId, record.Offset))),
                    static _ => [],
                    cancellationToken);
                var letters = records.Select((record, i) => LetterOf(topic, queueId, record, i < resent.Count && resent[i]));
                return new LetterPage(null, [.. letters], queueId, new QueueOffset(records[^1].Offset + 1));
            }

            if (++queueId >= queueCount)
            {
                return new LetterPage(null, [], -1, default);
            }

            offset = 0;
        }
    }

    /// <summary>Sends letters again, each once: one outcome per place, null on success.</summary>
    public async ValueTask<(IReadOnlyList<BrokerFailure?> Outcomes, BrokerFailure? Failure)> ResendAsync(
        string group, IReadOnlyList<LetterPlace> places, LetterResend resend, CancellationToken cancellationToken)
    {
        if ((Names.CheckGroup(group) is { } violation ? BrokerFailure.Of(violation) : CheckCount(places.Count)) is { } refused)
        {
            return ([], refused);
        }

        if (calls.CheckServing() is { } notServing)
        {
            return ([], notServing);
        }

        var topic = Names.DeadLetterTopic(group);
        if (calls.Machine.Topics.Find(topic) is not { } letters)
        {
            return ([], NoLetters(group));
        }

        var outcomes = new BrokerFailure?[places.Count];
        for (var i = 0; i < places.Count; i++)
        {
            outcomes[i] = await ResendAsync(topic, letters.Id, places[i], resend, cancellationToken);
            if (outcomes[i] is { Error: BrokerError.NotLeader or BrokerError.Unavailable or BrokerError.Stopping } lost)
            {
                // The next leader is asked for all of them; those that were sent say so.
                return ([], lost);
            }
        }

        var count = outcomes.Count(static outcome => outcome is null);
        if (count > 0 && !resend.IsDryRun)
        {
            BrokerEvents.LettersSentAgain(logger, count, group, resend.ToGroup ? "to that group" : "to their topics");
        }

        return (outcomes, null);
    }

    /// <summary>Forgets a group's letters; how many there are, and with a dry run nothing else.</summary>
    public async ValueTask<(long Count, BrokerFailure? Failure)> PurgeAsync(
        string group, bool isDryRun, CancellationToken cancellationToken)
    {
        if (Names.CheckGroup(group) is { } violation)
        {
            return (0, BrokerFailure.Of(violation));
        }

        var topic = Names.DeadLetterTopic(group);
        var (command, count, failure) = await calls.LookAsync<(TopicTrimCommand?, long, BrokerFailure?)>(
            state => state.Topics.Find(topic) is { } found
                ? (new TopicTrimCommand(
                    found.Id, found.View.Retention, [.. found.Queues.Select(queue => (queue.QueueId, queue.Max))]),
                    found.Queues.Sum(queue => queue.Max - queue.Min),
                    null)
                : (null, 0, NoLetters(group)),
            static reason => (null, 0, reason),
            cancellationToken);
        if (command is null || isDryRun || count == 0)
        {
            return (count, failure);
        }

        var proposal = new CallerProposal<BrokerFailure?>(
            ControlRecord.Encode(RecordKind.TopicTrim, command.Encode()), 1, static reason => reason);
        return calls.Log.TryPropose(proposal, out var refused)
            ? (count, await proposal.Task.WaitAsync(cancellationToken))
            : (0, FailureMapping.Of(refused));
    }

    private static BrokerFailure NoLetters(string group) => new(
        BrokerError.MessageNotFound, $"the consumer group '{group}' has no dead letters");

    private static BrokerFailure? CheckCount(int count) => count is >= 1 and <= ResendMax
        ? null
        : new BrokerFailure(
            BrokerError.InvalidArgument,
            $"{count} dead letters are to be sent again; 1 to {ResendMax} are allowed in one call",
            Rule: BrokenRule.Batch);

    private static List<LetterQueue> ListQueues(BrokerState state, string? group) =>
    [
        .. state.Topics.All
            .Where(topic => topic.View.Name.StartsWith(Names.DeadLetterTopic(""), StringComparison.Ordinal)
                && (group is null || topic.View.Name == Names.DeadLetterTopic(group)))
            .OrderBy(topic => topic.View.Name, StringComparer.Ordinal)
            .SelectMany(topic => topic.Queues.Select(queue => new LetterQueue(
                topic.View.Name[Names.DeadLetterTopic("").Length..],
                new MessagePlace(topic.View.Name, queue.QueueId, new QueueOffset(queue.Min)),
                queue.Max,
                state.Resent.Count(topic.Id, queue.QueueId)))),
    ];

    private static Letter LetterOf(string topic, int queueId, in PlacedRecord placed, bool isResent) =>
        new(LookupService.Decode(topic, queueId, placed.Offset, placed.Position, placed.Bytes), isResent);

    // Returns how many it looked at.
    private async ValueTask<int> CountAsync(
        LetterQueue queue,
        long resent,
        int countMax,
        SortedDictionary<string, LetterSummary> byTopic,
        CancellationToken cancellationToken)
    {
        const int PageMax = 500;
        var next = queue.From.Offset.Value;
        var looked = 0;
        while (next < queue.End && looked < countMax)
        {
            var (records, failure) = await calls.Lookups.ReadRecordsAsync(
                queue.From with { Offset = new QueueOffset(next) }, PageMax, cancellationToken);
            if (failure is not null || records.Count == 0)
            {
                break;
            }

            foreach (var record in records)
            {
                var letter = LetterOf(queue.From.Topic, queue.From.QueueId, record, false);
                var topic = letter.Message.DeadLetterOrigin?.Topic ?? "";
                var time = letter.Message.StoreTimeMicroseconds;
                byTopic[topic] = byTopic.TryGetValue(topic, out var known)
                    ? known with
                    {
                        Count = known.Count + 1,
                        OldestMicroseconds = Math.Min(known.OldestMicroseconds, time),
                        NewestMicroseconds = Math.Max(known.NewestMicroseconds, time),
                    }
                    : new LetterSummary(queue.Group, topic, 1, resent, time, time);
            }

            looked += records.Count;
            next = records[^1].Offset + 1;
        }

        if (next < queue.End)
        {
            var rest = byTopic.TryGetValue("", out var known) ? known : new LetterSummary(queue.Group, "", 0, resent, 0, 0);
            byTopic[""] = rest with { Count = rest.Count + queue.End - next };
        }

        return looked;
    }

    private async ValueTask<BrokerFailure?> ResendAsync(
        string topic, int topicId, LetterPlace place, LetterResend resend, CancellationToken cancellationToken)
    {
        var reference = new LetterReference(topicId, place.QueueId, place.Offset.Value);
        var isResent = await calls.LookAsync<(bool IsResent, BrokerFailure? Failure)>(
            state => (state.Resent.Contains(reference), null), static reason => (false, reason), cancellationToken);
        if (isResent.Failure is not null || isResent.IsResent)
        {
            return isResent.Failure ?? LetterEncoder.AlreadySent(reference);
        }

        var (records, failure) = await calls.Lookups.ReadRecordsAsync(
            new MessagePlace(topic, place.QueueId, place.Offset), 1, cancellationToken);
        if (failure is not null)
        {
            return failure;
        }

        if (records.Count == 0 || records[0].Offset != place.Offset.Value)
        {
            return new BrokerFailure(
                BrokerError.MessageNotFound, $"there is no dead letter at offset {place.Offset} of queue {place.QueueId}");
        }

        if (resend.ToGroup)
        {
            return await new LetterReplay(calls, reference, records[0]).RunAsync(resend.IsDryRun, cancellationToken);
        }

        return Encode(topic, place.QueueId, records[0], reference, out var record) is { } noTopic ? noTopic
            : resend.IsDryRun ? null
            : await calls.ProposeRecordsAsync<BrokerFailure?>(record, 1, static reason => reason, cancellationToken);
    }

    private BrokerFailure? Encode(
        string topic, int queueId, in PlacedRecord placed, in LetterReference reference, out byte[] record)
    {
        record = [];
        var letter = LetterOf(topic, queueId, placed, false);
        if (letter.Message.DeadLetterOrigin is not { } origin || calls.Machine.Topics.Find(origin.Topic) is not { } target)
        {
            return new BrokerFailure(
                BrokerError.TopicNotFound,
                $"the topic '{letter.Message.DeadLetterOrigin?.Topic}', from which the dead letter came, does not exist");
        }

        RecordView.TryParseUnchecked(placed.Bytes, out var view, out _);
        if (target.Lites is { } lites && lites.FindQueue(letter.Message.LiteTopic ?? "") is null)
        {
            return new BrokerFailure(
                BrokerError.TopicNotFound,
                $"the lite topic '{letter.Message.LiteTopic}', from which the dead letter came, has ended; a message sent to it makes it again");
        }

        var targetQueue = target.Lites is { } parent ? parent.FindQueue(letter.Message.LiteTopic!) ?? 0
            : target.IsPriority ? target.BandOf(letter.Message.Priority)
            : letter.Message.MessageGroup is { } messageGroup
            ? MessageGroupHash.QueueOf(MessageGroupHash.Of(messageGroup), target.QueueCount)
            : origin.QueueId % target.QueueCount;
        record = LetterEncoder.Encode(view, target.Id, targetQueue, reference);
        return null;
    }

    private sealed record LetterQueue(string Group, MessagePlace From, long End, long ResentCount);
}
