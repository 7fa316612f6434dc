using Dledger.Broker.Lookups;
using Dledger.Broker.Offsets;

namespace Dledger.Broker.Replays;

/// <summary>Offsets of a queue that a replay looks at, in the order of its walk.</summary>
internal readonly record struct ReplaySpan(int QueueId, long From, long To);

/// <summary>Finds out where the messages of a selection can be, without reading all of the topic where that is not needed.</summary>
internal sealed class ReplaySpans(BrokerCalls calls, ReplayRequest request, int topicId, IReadOnlyList<int> queueIds)
{
    private const int MatchesMax = 1_000;

    /// <summary>By queue and offset, from where the walk goes on.</summary>
    public async ValueTask<(List<ReplaySpan> Spans, BrokerFailure? Failure)> FindAsync(CancellationToken cancellationToken)
    {
        var queues = queueIds.Where(queue => queue >= (request.ContinueAt?.QueueId ?? 0)).ToArray();
        var (first, failure) = await TimesAsync(queues, request.FromMicroseconds, cancellationToken);
        if (failure is not null)
        {
            return ([], failure);
        }

        (var end, failure) = await TimesAsync(queues, request.ToMicroseconds, cancellationToken);
        if (failure is not null)
        {
            return ([], failure);
        }

        var spans = new List<ReplaySpan>(queues.Length);
        for (var i = 0; i < queues.Length; i++)
        {
            var from = Math.Max(request.FirstOffset ?? 0, first?[i] ?? 0);
            if (request.ContinueAt is { } next && next.QueueId == queues[i])
            {
                from = Math.Max(from, next.Offset);
            }

            var to = Math.Min(end?[i] ?? long.MaxValue, request.LastOffset is { } last and < long.MaxValue ? last + 1 : long.MaxValue);
            if (from < to)
            {
                spans.Add(new ReplaySpan(queues[i], from, to));
            }
        }

        return (await NarrowAsync(spans, cancellationToken), null);
    }

    private async ValueTask<(long[]? Offsets, BrokerFailure? Failure)> TimesAsync(
        int[] queues, long? time, CancellationToken cancellationToken) => time is { } microseconds
            ? await new TimeSearch(calls, topicId, queues, microseconds).RunAsync(cancellationToken)
            : (null, null);

    // With keys the index says where they are, unless it does not know all of the log: then everything is looked at.
    private async ValueTask<List<ReplaySpan>> NarrowAsync(List<ReplaySpan> spans, CancellationToken cancellationToken)
    {
        var (names, isId) = request.MessageIds.Count > 0 ? (request.MessageIds, true) : (request.Keys, false);
        if (names.Count == 0 || calls.Machine.Index is null)
        {
            return spans;
        }

        var places = new SortedSet<(int QueueId, long Offset)>();
        foreach (var name in names)
        {
            var found = await calls.Lookups.FindAsync(
                new KeyQuery(request.Topic, name, isId) { CountMax = MatchesMax }, cancellationToken);
            if (found.Failure is not null || found.HasMore || found.Gaps.Count > 0)
            {
                return spans;
            }

            foreach (var message in found.Messages)
            {
                places.Add((message.QueueId, message.QueueOffset.Value));
            }
        }

        return
        [
            .. places
                .Where(place => spans.Exists(
                    span => span.QueueId == place.QueueId && span.From <= place.Offset && place.Offset < span.To))
                .Select(static place => new ReplaySpan(place.QueueId, place.Offset, place.Offset + 1)),
        ];
    }
}
