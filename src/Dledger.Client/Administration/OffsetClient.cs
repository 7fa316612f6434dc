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
