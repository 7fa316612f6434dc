using Apache.Rocketmq.V2;

namespace Dledger.Chaos.Features;

/// <summary>How far a consumer group is in each message group, and what may come next. Bodies are <c>group:number</c>. Safe for any
/// thread.</summary>
internal sealed class MessageGroupOrder(FeatureRound round, int groupCount)
{
    private readonly Lock _lock = new();
    private readonly int[] _invoked = [.. Enumerable.Repeat(-1, groupCount)];
    private readonly int[] _acked = [.. Enumerable.Repeat(-1, groupCount)];
    private int[]? _counts;

    /// <summary>Whether all that is expected was acknowledged.</summary>
    public bool IsDone
    {
        get
        {
            lock (_lock)
            {
                return _counts is { } counts && _acked.Zip(counts).All(pair => pair.First == pair.Second - 1);
            }
        }
    }

    /// <summary>Sends the messages of all groups, at least so many of each, until the leader has died; then it is known what to expect.</summary>
    public async Task SendAsync(int countMin, TimeSpan pace, CancellationToken cancellationToken)
    {
        Expect(await Task.WhenAll(
            Enumerable.Range(0, groupCount).Select(group => SendAsync(group, countMin, pace, cancellationToken))));
    }

    /// <summary>Tells how many messages each message group has, all of which were stored.</summary>
    public void Expect(int[] counts)
    {
        lock (_lock)
        {
            _counts = counts;
        }
    }

    /// <summary>
    /// A message that was stored twice comes twice, the second right behind the first; none comes early. An ack that is under way may have
    /// had its effect already.
    /// </summary>
    public void Delivered(IReadOnlyList<Message> batch)
    {
        lock (_lock)
        {
            var reached = _invoked.ToArray();
            foreach (var (group, number) in batch.Select(Read))
            {
                round.Check(
                    number <= reached[group] + 1,
                    $"message {number} of message group {group} came while only those up to {reached[group]} were done");
                reached[group] = Math.Max(reached[group], number);
            }
        }
    }

    public void AckInvoked(Message message)
    {
        lock (_lock)
        {
            var (group, number) = Read(message);
            _invoked[group] = Math.Max(_invoked[group], number);
        }
    }

    public void Acked(Message message)
    {
        lock (_lock)
        {
            var (group, number) = Read(message);
            _acked[group] = Math.Max(_acked[group], number);
        }
    }

    private async Task<int> SendAsync(int group, int countMin, TimeSpan pace, CancellationToken cancellationToken)
    {
        var count = 0;
        await foreach (var number in round.NumbersAsync(countMin, pace, cancellationToken))
        {
            await round.Client.SendAsync(
                round.Topic,
                $"{group}:{number}",
                message =>
                {
                    message.SystemProperties.MessageType = MessageType.Fifo;
                    message.SystemProperties.MessageGroup = $"g{group}";
                },
                cancellationToken);
            count = number + 1;
        }

        return count;
    }

    private static (int Group, int Number) Read(Message message)
    {
        var parts = message.Body.ToStringUtf8().Split(':');
        return (int.Parse(parts[0], null), int.Parse(parts[1], null));
    }
}
