using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>An ordered group with several message groups and two consumers: no message is handed out before those of its group
/// that lie before it are acknowledged, except in one batch with them.</summary>
internal sealed class OrderedGroups : IFeature
{
    private const int GroupCount = 4;
    private const int MessageCount = 12;

    public string Name => "fifo";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2, AcceptMessageTypes = { MessageType.Fifo } },
            new Group { Name = round.Group, Fifo = true },
            cancellationToken);
        var progress = new Progress(round);
        var consumers = Enumerable.Range(0, 2).Select(_ => ConsumeAsync(round, progress, cancellationToken)).ToArray();
        await Task.WhenAll(Enumerable.Range(0, GroupCount).Select(group => SendAsync(round, group, cancellationToken)));
        await Task.WhenAll(consumers);
    }

    private static async Task SendAsync(FeatureRound round, int group, CancellationToken cancellationToken)
    {
        for (var number = 0; number < MessageCount; number++)
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
        }
    }

    private static async Task ConsumeAsync(FeatureRound round, Progress progress, CancellationToken cancellationToken)
    {
        while (!progress.IsDone)
        {
            var batch = await round.Client.ReceiveAsync(round.Receive(batch: 3, invisibleSeconds: 5), cancellationToken);
            progress.Delivered(batch);
            foreach (var message in batch)
            {
                progress.AckInvoked(message);
                if (await round.Client.AckAsync(round.Group, message, cancellationToken) == Code.Ok)
                {
                    progress.Acked(message);
                }
            }
        }
    }

    private sealed class Progress(FeatureRound round)
    {
        private readonly Lock _lock = new();
        private readonly int[] _invoked = [.. Enumerable.Repeat(-1, GroupCount)];
        private readonly int[] _acked = [.. Enumerable.Repeat(-1, GroupCount)];

        public bool IsDone
        {
            get
            {
                lock (_lock)
                {
                    return _acked.All(number => number == MessageCount - 1);
                }
            }
        }

        // A message that was stored twice comes twice, the second right behind the first; none comes early. An ack that is under way may
        // have had its effect already.
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

        private static (int Group, int Number) Read(Message message)
        {
            var parts = message.Body.ToStringUtf8().Split(':');
            return (int.Parse(parts[0], null), int.Parse(parts[1], null));
        }
    }
}
