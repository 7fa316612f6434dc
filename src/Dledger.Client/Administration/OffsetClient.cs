using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Client.Administration;

/// <summary>Moves consumer groups. Safe for any thread.</summary>
/// <remarks>Every call throws a <see cref="DledgerException"/> of a kind that says what became of it.</remarks>
public sealed class OffsetClient(DledgerChannel channel)
{
    /// <summary>Moves a group to another place in a topic while it goes on consuming.</summary>
    /// <param name="group">The consumer group; it exists.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="queueId">One queue; null: all.</param>
    /// <param name="target">Where to.</param>
    /// <param name="isDryRun">Only say what would happen.</param>
    /// <param name="cancellationToken">Stops waiting; does not take it back.</param>
    /// <returns>By queue id.</returns>
    public async Task<IReadOnlyList<QueueSeekResult>> SeekAsync(
        string group,
        string topic,
        int? queueId,
        GroupSeek target,
        bool isDryRun = false,
        CancellationToken cancellationToken = default)
    {
        var request = new SeekGroupRequest { Group = group, Topic = topic, DryRun = isDryRun };
        if (queueId is { } id)
        {
            request.QueueId = id;
        }

        Fill(request, target);
        var operation = $"Moving group '{group}' in topic '{topic}'";
        var answer = await channel.CallAsync(
            operation,
            async (node, options) =>
            {
                var response = await node.Offsets.SeekGroupAsync(request, options).ConfigureAwait(false);
                return ResponseStatus.Judge(response.Status, operation) is { } failure ? throw failure : response;
            },
            channel.Options.RequestTimeout,
            isRepeatable: isDryRun,
            cancellationToken).ConfigureAwait(false);
        return
        [
            .. answer.Queues.Select(queue => new QueueSeekResult(
                queue.QueueId,
                queue.FromOffset,
                queue.ToOffset,
                queue.SkippedCount,
                queue.RepeatedCount,
                queue.CutCount)),
        ];
    }

    /// <summary>Has finished messages of a selection delivered to a group again; its offsets do not move.</summary>
    /// <param name="group">The consumer group; it has read the topic.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="replay">Which messages.</param>
    /// <param name="isDryRun">Only say what would happen.</param>
    /// <param name="cancellationToken">Stops between two pieces; what was put back stays so.</param>
    public async Task<GroupReplayResult> ReplayAsync(
        string group,
        string topic,
        GroupReplay replay,
        bool isDryRun = false,
        CancellationToken cancellationToken = default)
    {
        var operation = $"Replaying messages of topic '{topic}' to group '{group}'";
        var request = RequestOf(group, topic, replay, isDryRun);
        var queues = new SortedDictionary<int, QueueReplayResult>();
        ReplayGroupResponse answer;
        do
        {
            answer = await channel.CallAsync(
                operation,
                async (node, options) =>
                {
                    var response = await node.Offsets.ReplayGroupAsync(request, options).ConfigureAwait(false);
                    var before = queues.Values.Concat(ResultsOf(response)).Sum(static queue => queue.PutBackCount);
                    return ResponseStatus.Judge(
                        response.Status, before == 0 || isDryRun ? operation : $"{operation}, after {before} were put back") is { } failure
                            ? throw failure
                            : response;
                },
                channel.Options.RequestTimeout,
                isRepeatable: isDryRun,
                cancellationToken).ConfigureAwait(false);
            foreach (var queue in ResultsOf(answer))
            {
                queues[queue.QueueId] = queues.GetValueOrDefault(queue.QueueId) is { } before
                    ? queue with
                    {
                        PutBackCount = queue.PutBackCount + before.PutBackCount,
                        SkippedCount = queue.SkippedCount + before.SkippedCount,
                    }
                    : queue;
            }

            request.ContinueAt = answer.ContinueAt;
            request.Limit = replay.Limit == 0 ? 0 : replay.Limit - queues.Values.Sum(static queue => queue.PutBackCount);
        }
        while (request.ContinueAt is not null && (replay.Limit == 0 || request.Limit > 0));

        return new GroupReplayResult([.. queues.Values], answer.RoomCount);
    }

    private static IEnumerable<QueueReplayResult> ResultsOf(ReplayGroupResponse response) => response.Queues.Select(
        static queue => new QueueReplayResult(queue.QueueId, queue.PutBackCount, queue.SkippedCount));

    private static ReplayGroupRequest RequestOf(string group, string topic, GroupReplay replay, bool isDryRun)
    {
        var request = new ReplayGroupRequest
        {
            Group = group,
            Topic = topic,
            From = replay.From is { } from ? Timestamp.FromDateTimeOffset(from) : null,
            To = replay.To is { } to ? Timestamp.FromDateTimeOffset(to) : null,
            TagExpression = replay.TagExpression ?? "",
            SqlExpression = replay.SqlExpression ?? "",
            Limit = replay.Limit,
            DryRun = isDryRun,
        };
        if (replay.QueueId is { } queueId)
        {
            request.QueueId = queueId;
        }

        if (replay.FirstOffset is { } first)
        {
            request.FirstOffset = first;
        }

        if (replay.LastOffset is { } last)
        {
            request.LastOffset = last;
        }

        request.Keys.AddRange(replay.Keys);
        request.MessageIds.AddRange(replay.MessageIds);
        return request;
    }

    private static void Fill(SeekGroupRequest request, GroupSeek target)
    {
        if (target.Offset is { } offset)
        {
            request.Offset = offset;
        }
        else if (target.Time is { } time)
        {
            request.Time = Timestamp.FromDateTimeOffset(time);
        }
        else if (target.Relative is { } messages)
        {
            request.Relative = messages;
        }
        else
        {
            request.End = target.IsLatest ? QueueEnd.Latest : QueueEnd.Earliest;
        }
    }
}
