using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Chaos.Features;

/// <summary>Delayed messages, some of them recalled: none comes early, none that was recalled comes at all, every other comes once for
/// every time that it was stored.</summary>
internal sealed class DelayedMessages : IFeature
{
    private const int MessageCount = 30;
    private const double DelayMin = 2;
    private const double DelayMax = 6;

    // The nodes and this program share a clock; what is due within one of the broker's ticks of 10 ms is due.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    public string Name => "delay";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2, AcceptMessageTypes = { MessageType.Delay } },
            new Group { Name = round.Group },
            cancellationToken);
        var due = new Dictionary<string, DateTime>();
        var handles = new Dictionary<string, string>();
        var receiver = new Receiver(round, due);
        var receiving = receiver.RunAsync(cancellationToken);
        for (var number = 0; number < MessageCount; number++)
        {
            var id = $"{number}";
            var at = DateTime.UtcNow.AddSeconds(DelayMin + (round.Random.NextDouble() * (DelayMax - DelayMin)));
            lock (due)
            {
                due[id] = at;
            }

            var entry = await round.Client.SendAsync(
                round.Topic,
                id,
                message =>
                {
                    message.SystemProperties.MessageType = MessageType.Delay;
                    message.SystemProperties.DeliveryTimestamp = Timestamp.FromDateTime(at);
                },
                cancellationToken);
            handles[id] = entry.RecallHandle;
        }

        foreach (var (id, handle) in handles.Where(pair => int.Parse(pair.Key, null) % 3 == 0))
        {
            receiver.Recalled(id, await RecallAsync(round, handle, cancellationToken));
        }

        await receiving;
    }

    private static async Task<Code> RecallAsync(FeatureRound round, string handle, CancellationToken cancellationToken)
    {
        var request = new RecallMessageRequest { Topic = new Resource { Name = round.Topic }, RecallHandle = handle };
        var answer = await round.Client.CallAsync(
            async (node, options) => await node.Messaging.RecallMessageAsync(request, options),
            response => response.Status,
            cancellationToken);
        return answer.Status.Code;
    }

    private sealed class Receiver(FeatureRound round, Dictionary<string, DateTime> due)
    {
        private static readonly TimeSpan Grace = TimeSpan.FromSeconds(20);

        private readonly HashSet<string> _seen = [];
        private readonly Dictionary<string, Code> _recalls = [];

        public void Recalled(string id, Code code)
        {
            lock (due)
            {
                _recalls[id] = code;
            }
        }

        public async Task RunAsync(CancellationToken cancellationToken)
        {
            while (!IsOver())
            {
                foreach (var message in await round.Client.ReceiveAsync(round.Receive(invisibleSeconds: 5), cancellationToken))
                {
                    Take(message.SystemProperties);
                    await round.Client.AckAsync(round.Group, message, cancellationToken);
                }
            }

            foreach (var (id, code) in _recalls)
            {
                // A message whose first send was stored without an answer has a twin that nobody has a handle of: it may come once.
                round.Check(code is Code.Ok || _seen.Contains(id), $"the recall of {id} ended with {code}, and it never came");
            }
        }

        private void Take(SystemProperties system)
        {
            lock (due)
            {
                var early = due[system.MessageId] - DateTime.UtcNow;
                round.Check(early <= Tick, $"{system.MessageId} came {early.TotalMilliseconds:0} ms early");
                _seen.Add(system.MessageId);
            }
        }

        private bool IsOver()
        {
            lock (due)
            {
                if (due.Count < MessageCount || _recalls.Count < MessageCount / 3)
                {
                    return false;
                }

                var missing = due.Keys.Where(id => !_seen.Contains(id) && _recalls.GetValueOrDefault(id) != Code.Ok).ToList();
                var isLate = DateTime.UtcNow > due.Values.Max() + Grace;
                round.Check(missing.Count == 0 || !isLate, $"never came: {string.Join(", ", missing)}");
                return missing.Count == 0 ? DateTime.UtcNow > due.Values.Max() + TimeSpan.FromSeconds(1) : isLate;
            }
        }
    }
}
