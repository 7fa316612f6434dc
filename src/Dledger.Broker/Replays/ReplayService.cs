using System.Text;
using Dledger.Broker.Commands;
using Dledger.Broker.Lookups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.Offsets;
using Dledger.Broker.Proposals;
using Dledger.Broker.StateMachine;
using Dledger.Storage.Queues;
using Dledger.Storage.Records;

namespace Dledger.Broker.Replays;

/// <summary>Finds what a group has finished of a selection and has it wait for the group again. Any thread.</summary>
/// <remarks>
/// The index is read on the apply loop, a piece at a time; records are read and judged on the caller's thread. Whatever changes between
/// the look and the record, apply puts back only what is finished then.
/// </remarks>
internal sealed class ReplayService(BrokerCalls calls)
{
    /// <summary>Index entries that one call looks at.</summary>
    private const int EntriesMax = 65_536;

    /// <summary>Bytes of records that one call reads.</summary>
    private const long BytesMax = 32 << 20;

    public async ValueTask<ReplayOutcome> ReplayAsync(ReplayRequest request, CancellationToken cancellationToken)
    {
        if (ReplayRules.Check(request) is { } violation)
        {
            return ReplayOutcome.Of(BrokerFailure.Of(violation));
        }

        var (groupId, topicId, failure) = calls.Receipts.Resolve(request.Group, request.Topic);
        if ((failure ?? calls.CheckServing()) is { } refused)
        {
            return ReplayOutcome.Of(refused);
        }

        if (calls.Machine.Groups.Find(request.Group) is { } group && BroadcastRules.CheckHasOffsets(group) is { } broadcast)
        {
            return ReplayOutcome.Of(BrokerFailure.Of(broadcast));
        }

        var topic = calls.Machine.Topics.Find(request.Topic)!;
        if (request.QueueId is { } one && OffsetRules.CheckQueue(topic, one) is { } wrongQueue)
        {
            return ReplayOutcome.Of(BrokerFailure.Of(wrongQueue));
        }

        int[] queueIds = request.QueueId is { } only ? [only] : [.. Enumerable.Range(0, topic.QueueCount)];
        var (spans, unfound) = await new ReplaySpans(calls, request, topicId, queueIds).FindAsync(cancellationToken);
        return unfound is { } problem
            ? ReplayOutcome.Of(problem)
            : await new Walk(calls, request, groupId, topicId, spans).RunAsync(cancellationToken);
    }

    /// <summary>One call's way through the spans.</summary>
    private sealed class Walk(BrokerCalls calls, ReplayRequest request, int groupId, int topicId, List<ReplaySpan> spans)
    {
        private readonly byte[][] _keys = [.. request.Keys.Select(Encoding.UTF8.GetBytes)];
        private readonly byte[][] _ids = [.. request.MessageIds.Select(Encoding.UTF8.GetBytes)];
        private readonly SortedDictionary<int, (long PutBack, long Skipped)> _queues = [];
        private int _span;
        private long _offset = spans.Count == 0 ? 0 : spans[0].From;
        private long _entriesLeft = EntriesMax;
        private long _bytesLeft = BytesMax;
        private long _wanted = request.Limit == 0 ? long.MaxValue : request.Limit;
        private long _room;

        public async ValueTask<ReplayOutcome> RunAsync(CancellationToken cancellationToken)
        {
            do
            {
                var (entries, refused) = await calls.LookAsync(Look, static failure => ([], failure), cancellationToken);
                if (refused is { } failure)
                {
                    return End(failure);
                }

                if (entries.Count == 0)
                {
                    continue;
                }

                var (chosen, unreadable) = Judge(entries);
                if ((await PutBackAsync(chosen, cancellationToken) ?? unreadable) is { } problem)
                {
                    return End(problem);
                }
            }
            while (_span < spans.Count && _entriesLeft > 0 && _bytesLeft > 0 && _wanted > 0);

            return End(null);
        }

        private ReplayOutcome End(BrokerFailure? failure) => new(
            failure,
            [.. _queues.Select(static queue => new QueueReplay(queue.Key, queue.Value.PutBack, queue.Value.Skipped))],
            failure is null && _span < spans.Count && _wanted > 0 ? new ReplayPlace(spans[_span].QueueId, _offset) : null)
        {
            RoomCount = Math.Max(0, _room),
        };

        // On the apply loop. The walk stands behind the last entry of the answer then.
        private (List<Candidate> Entries, BrokerFailure? Failure) Look(BrokerState state)
        {
            if (state.FindSubscription(groupId, topicId) is not { } subscription)
            {
                return ([], new BrokerFailure(
                    BrokerError.OffsetNotFound,
                    $"the consumer group '{request.Group}' never read the topic '{request.Topic}': it has finished nothing"));
            }

            _room = calls.Options.AsideMax - subscription.AsideCount;
            var found = new List<Candidate>();
            var entries = new ConsumeQueueEntry[(int)Math.Min(_entriesLeft, ReplayCommand.CountMax)];
            while (_span < spans.Count && found.Count < entries.Length)
            {
                var span = spans[_span];
                var queue = subscription.Topic.Queues[span.QueueId];
                _offset = Math.Max(_offset, queue.Min);
                var wanted = (int)Math.Clamp(Math.Min(span.To, queue.Max) - _offset, 0, entries.Length - found.Count);
                var count = wanted == 0 ? 0 : queue.Read(_offset, entries.AsSpan(0, wanted));
                var cursor = subscription.Cursors[span.QueueId];
                for (var i = 0; i < count; i++, _offset++)
                {
                    found.Add(new Candidate(
                        span.QueueId, _offset, entries[i], cursor.IsFinished(_offset), cursor.IsOrdered));
                }

                if (count < wanted || _offset >= Math.Min(span.To, queue.Max))
                {
                    _span++;
                    _offset = _span < spans.Count ? spans[_span].From : 0;
                }
            }

            _entriesLeft -= found.Count;
            return (found, null);
        }

        // What is wanted and finished, in order. The walk goes back to where the limit was reached or a record could not be read.
        private (List<Candidate> Chosen, BrokerFailure? Failure) Judge(List<Candidate> entries)
        {
            var chosen = new List<Candidate>();
            foreach (var each in entries)
            {
                if (chosen.Count == _wanted || _bytesLeft <= 0)
                {
                    Return(each);
                    break;
                }

                if (!request.Filter.MayMatch(IndexHash.TagOf(each.Entry.TagHash)))
                {
                    continue;
                }

                if (!(request.Filter.MatchesAll && _keys.Length == 0 && _ids.Length == 0))
                {
                    _bytesLeft -= each.Entry.Size;
                    if (calls.Records.Read(each.Entry.Position, each.Entry.Size) is not { } bytes)
                    {
                        Return(each);
                        return (chosen, new BrokerFailure(
                            BrokerError.Unavailable,
                            $"the record of offset {each.Offset} in queue {each.QueueId} cannot be read at present"));
                    }

                    if (!Matches(bytes))
                    {
                        continue;
                    }
                }

                if (each.IsFinished)
                {
                    chosen.Add(each);
                }
                else
                {
                    Count(each.QueueId, 0, 1);
                }
            }

            return (chosen, null);
        }

        private void Return(in Candidate to)
        {
            _offset = to.Offset;
            var (queueId, offset) = (to.QueueId, to.Offset);
            _span = spans.FindIndex(span => span.QueueId == queueId && span.From <= offset && offset < span.To);
        }

        private bool Matches(byte[] bytes)
        {
            RecordView.TryParseUnchecked(bytes, out var record, out _);
            return request.Filter.Matches(record) && HasOneOf(record, _keys, isId: false) && HasOneOf(record, _ids, isId: true);
        }

        private static bool HasOneOf(in RecordView record, byte[][] names, bool isId)
        {
            foreach (var name in names)
            {
                if (MessageKeys.Has(record, name, isId))
                {
                    return true;
                }
            }

            return names.Length == 0;
        }

        private async ValueTask<BrokerFailure?> PutBackAsync(List<Candidate> chosen, CancellationToken cancellationToken)
        {
            _wanted -= chosen.Count;
            foreach (var queue in chosen.GroupBy(static each => each.QueueId))
            {
                if (request.IsDryRun)
                {
                    Count(queue.Key, queue.Count(), 0);
                    continue;
                }

                var applied = await calls.ProposeRecordsAsync(
                    ControlRecord.Encode(RecordKind.Replay, CommandOf(queue.Key, [.. queue]).Encode()),
                    1,
                    static failure => new ReplayApplied(failure, 0, 0),
                    cancellationToken);
                if (applied.Failure is { } failure)
                {
                    return failure;
                }

                Count(queue.Key, applied.PutBackCount, applied.SkippedCount);
                _room -= applied.PutBackCount;
            }

            return null;
        }

        private ReplayCommand CommandOf(int queueId, List<Candidate> chosen)
        {
            var ranges = new List<OffsetRange>();
            foreach (var each in chosen)
            {
                OffsetRange.Append(ranges, each.Offset);
            }

            int[] hashes = chosen[0].IsOrdered ? [.. chosen.Select(static each => IndexHash.GroupOf(each.Entry.TagHash))] : [];
            return new ReplayCommand(groupId, topicId, queueId, calls.Options.AsideMax, ranges, hashes);
        }

        private void Count(int queueId, long putBack, long skipped)
        {
            var before = _queues.GetValueOrDefault(queueId);
            _queues[queueId] = (before.PutBack + putBack, before.Skipped + skipped);
        }
    }

    private readonly record struct Candidate(
        int QueueId, long Offset, ConsumeQueueEntry Entry, bool IsFinished, bool IsOrdered);
}
