using Dledger.Protocol.Admin.V1;

namespace Dledger.Chaos.Features;

/// <summary>A receive that is repeated with the same attempt id brings the same messages in the same attempt, whoever leads by
/// then.</summary>
internal sealed class RepeatedAttempt : IFeature
{
    private const int MessageCount = 5;
    private const int Repeats = 8;

    public string Name => "attempt-id";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 1 },
            new Group { Name = round.Group, Fifo = true },
            cancellationToken);
        for (var number = 0; number < MessageCount; number++)
        {
            await round.Client.SendAsync(round.Topic, $"{number}", static _ => { }, cancellationToken);
        }

        var request = round.Receive(batch: MessageCount, invisibleSeconds: 60);
        request.AttemptId = round.Group;
        string? first = null;
        for (var repeat = 0; repeat < Repeats || !round.LeaderHasDied;)
        {
            var batch = await round.Client.ReceiveAsync(request, cancellationToken);
            if (batch.Count == 0)
            {
                continue;
            }

            var seen = string.Join(
                ' ', batch.Select(message => $"{message.SystemProperties.QueueOffset}/{message.SystemProperties.DeliveryAttempt}"));
            first ??= seen;
            round.Check(seen == first, $"the attempt brought {first}, then {seen}");
            repeat++;
            await Machines.Wait.ForAsync(TimeSpan.FromMilliseconds(400), cancellationToken);
        }
    }
}
