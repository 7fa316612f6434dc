using Dledger.Bench.Targets;
using Dledger.Client.Administration;
using Dledger.Client.Connections;
using Dledger.Client.Errors;

namespace Dledger.Bench.Clusters;

/// <summary>The topics and groups of a run in a Dledger cluster. Remembers which of them it made, and deletes no others.</summary>
public sealed class BenchResources(DledgerChannel channel, BenchNames names, bool reuses)
{
    private const int CallsMax = 16;

    // Messages are given back on purpose and must not become dead letters.
    private const int AttemptsMax = 10_000;

    private readonly AdminClient _admin = new(channel);
    private readonly Lock _gate = new();
    private readonly List<string> _topics = [];
    private readonly List<string> _groups = [];
    private int _topicsReady;
    private int _groupsReady;

    public BenchNames Names { get; } = names;

    /// <summary>Makes what is missing.</summary>
    /// <exception cref="BenchNameTakenException">Something has the name and may not be used.</exception>
    public async Task PrepareAsync(BenchLayout layout, CancellationToken cancellationToken)
    {
        var topics = Enumerable.Range(0, layout.TopicCount).Skip(_topicsReady).Select(Names.Topic).ToArray();
        var groups = Enumerable.Range(0, layout.GroupCount).Skip(_groupsReady).Select(Names.Group).ToArray();
        var takenTopics = (await _admin.ListTopicsAsync(cancellationToken: cancellationToken)).Select(topic => topic.Name).ToHashSet();
        var takenGroups = (await _admin.ListGroupsAsync(cancellationToken)).Select(group => group.Name).ToHashSet();
        if (!reuses && (topics.FirstOrDefault(takenTopics.Contains) ?? groups.FirstOrDefault(takenGroups.Contains)) is { } taken)
        {
            throw new BenchNameTakenException(taken);
        }

        await EachAsync(topics.Where(name => !takenTopics.Contains(name)), _topics, cancellationToken, async (name, token) =>
            await _admin.CreateTopicAsync(new TopicDescription(name, layout.QueueCount, []), token));
        await EachAsync(groups.Where(name => !takenGroups.Contains(name)), _groups, cancellationToken, async (name, token) =>
            await _admin.CreateGroupAsync(new GroupDescription(name, IsFifo: false, AttemptsMax), token));
        _topicsReady = Math.Max(_topicsReady, layout.TopicCount);
        _groupsReady = Math.Max(_groupsReady, layout.GroupCount);
    }

    /// <summary>Deletes what was made here, with all messages.</summary>
    public async Task DestroyAsync(CancellationToken cancellationToken)
    {
        await EachAsync(Drain(_groups), null, cancellationToken, (name, token) =>
            IgnoreMissingAsync(_admin.DeleteGroupAsync(name, token)));
        await EachAsync(Drain(_topics), null, cancellationToken, (name, token) =>
            IgnoreMissingAsync(_admin.DeleteTopicAsync(name, token)));
        (_topicsReady, _groupsReady) = (0, 0);
    }

    private async Task EachAsync(
        IEnumerable<string> names, List<string>? made, CancellationToken cancellationToken, Func<string, CancellationToken, Task> act)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = CallsMax, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(names.ToArray(), options, async (name, token) =>
        {
            lock (_gate)
            {
                // Noted before the call: one whose answer is lost may have made it, and deleting what is not there does no harm.
                made?.Add(name);
            }

            await act(name, token);
        });
    }

    private static async Task IgnoreMissingAsync(Task deletion)
    {
        try
        {
            await deletion;
        }
        catch (ResourceNotFoundException)
        {
            // Somebody else deleted it, or it was never made.
        }
    }

    private string[] Drain(List<string> names)
    {
        lock (_gate)
        {
            var all = names.ToArray();
            names.Clear();
            return all;
        }
    }
}
