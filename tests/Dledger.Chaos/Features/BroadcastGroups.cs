using Apache.Rocketmq.V2;
using Dledger.Chaos.Machines;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>
/// Each client of a broadcast group receives every message from where it began to read, whatever the others do; members, their leases and
/// attempts survive a change of leader exactly.
/// </summary>
internal sealed class BroadcastGroups : IFeature
{
    private const int MemberCount = 3;
    private const int QueueCount = 2;
    private const int MessageCount = 40;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan BackAfter = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(20);

    public string Name => "broadcast";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = QueueCount },
            new Group { Name = round.Group, Broadcast = true },
            cancellationToken);
        var members = Enumerable.Range(0, MemberCount).Select(number => new Member(round, number)).ToArray();
        try
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var receiving = members.Select(member => member.RunAsync(stop.Token)).ToArray();
            round.Check(
                await Wait.UntilAsync(JoinPatience, () => HaveJoinedAsync(round, cancellationToken), cancellationToken),
                "a receive did not make a member of each client");
            await foreach (var number in round.NumbersAsync(MessageCount, Pace, cancellationToken))
            {
                await round.Client.SendAsync(round.Topic, $"{number}", static _ => { }, cancellationToken);
            }

            var stored = (await round.Operator.ReadAllAsync(round.Topic, cancellationToken)).Select(MessagePlace.Of).ToHashSet();
            foreach (var member in members)
            {
                member.Expect(stored);
            }

            await Task.WhenAll(receiving);
        }
        finally
        {
            Array.ForEach(members, member => member.Dispose());
        }
    }

    private static async Task<bool> HaveJoinedAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        var group = await round.Operator.DescribeGroupAsync(round.Group, cancellationToken);
        return group.BroadcastMembers.Count == MemberCount
            && group.BroadcastMembers.All(member => member.Queues.Count(queue => queue.Topic == round.Topic) == QueueCount);
    }

    private sealed class Member(FeatureRound round, int number) : IDisposable
    {
        private readonly PatientClient _client = round.Client.As($"{round.Group}-member-{number}");
        private readonly Dictionary<MessagePlace, int> _attempts = [];
        private readonly HashSet<MessagePlace> _acked = [];
        private volatile IReadOnlySet<MessagePlace>? _expected;
        private int _lostReceives;

        private string ClientId => $"{round.Group}-member-{number}";

        public void Expect(IReadOnlySet<MessagePlace> stored) => _expected = stored;

        // Ends when it has all that is stored, and nothing more comes.
        public async Task RunAsync(CancellationToken cancellationToken)
        {
            for (var idle = 0; idle < 2 || _expected is not { } expected || !_acked.IsSupersetOf(expected);)
            {
                var (batch, isWhole) = await round.TryReceiveAsync(
                    _client, round.Receive(invisibleSeconds: 3, waitSeconds: 0.5), cancellationToken);
                _lostReceives += isWhole ? 0 : 1;
                idle = batch.Count == 0 ? idle + 1 : 0;
                foreach (var message in batch)
                {
                    await TakeAsync(message, cancellationToken);
                }

                if (idle >= 2 && _expected is { } all && !_acked.IsSupersetOf(all) && await HasFinishedAsync(cancellationToken))
                {
                    round.Check(false, $"member {number} never got {string.Join(", ", all.Except(_acked))}, and has finished all");
                    return;
                }
            }
        }

        public void Dispose() => _client.Dispose();

        // As the group sees it. An acknowledgement whose handle was too late comes again.
        private async Task<bool> HasFinishedAsync(CancellationToken cancellationToken)
        {
            var group = await round.Operator.DescribeGroupAsync(round.Group, cancellationToken);
            return group.BroadcastMembers.FirstOrDefault(member => member.ClientId == ClientId) is not { } me
                || me.Queues.All(queue => queue.LagCount == 0);
        }

        private async Task TakeAsync(Message message, CancellationToken cancellationToken)
        {
            var place = MessagePlace.Of(message);
            var attempt = message.SystemProperties.DeliveryAttempt;
            var before = _attempts.GetValueOrDefault(place);
            round.Check(!_acked.Contains(place), $"member {number} got {place} again after its acknowledgement");
            round.Check(
                attempt > before && attempt <= before + 1 + _lostReceives,
                $"member {number} got {place} in attempt {attempt} after {before}, {_lostReceives} receives were lost");
            _attempts[place] = attempt;

            // Each member hands other messages back, once: that is no matter of the others.
            if (attempt == 1 && (place.Offset + number) % 5 == 0)
            {
                await _client.GiveBackAsync(round.Group, message, BackAfter, cancellationToken);
            }
            else if (await _client.AckAsync(round.Group, message, cancellationToken) == Code.Ok)
            {
                _acked.Add(place);
            }
        }
    }
}
