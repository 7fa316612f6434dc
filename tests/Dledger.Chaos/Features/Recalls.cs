using Apache.Rocketmq.V2;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Chaos.Features;

/// <summary>Messages that are recalled while the leader dies: what was stored once and recalled never comes.</summary>
internal sealed class Recalls : IFeature
{
    private const int MessageCount = 20;

    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(6);

    public string Name => "recall";

    public async Task RunAsync(FeatureRound round, CancellationToken cancellationToken)
    {
        await round.Client.CreateAsync(
            new Topic { Name = round.Topic, QueueCount = 2, AcceptMessageTypes = { MessageType.Delay } },
            new Group { Name = round.Group },
            cancellationToken);
        var at = DateTime.UtcNow + Delay;
        var recalled = new HashSet<string>();
        for (var number = 0; number < MessageCount; number++)
        {
            // One try and one handle: a message that may have been stored twice says nothing here.
            if (await SendOnceAsync(round, $"{number}", at, cancellationToken) is { } handle
                && await RecallAsync(round, handle, cancellationToken) == Code.Ok)
            {
                recalled.Add($"{number}");
            }

            await Machines.Wait.ForAsync(TimeSpan.FromMilliseconds(100), cancellationToken);
        }

        var seen = new HashSet<string>();
        while (DateTime.UtcNow < at + TimeSpan.FromSeconds(3))
        {
            foreach (var message in await round.Client.ReceiveAsync(round.Receive(), cancellationToken))
            {
                seen.Add(message.SystemProperties.MessageId);
            }
        }

        foreach (var id in recalled)
        {
            round.Check(!seen.Contains(id), $"{id} came although it had been recalled");
        }

        round.Check(recalled.Count > 0, "nothing could be recalled");
    }

    private static async Task<string?> SendOnceAsync(
        FeatureRound round, string id, DateTime at, CancellationToken cancellationToken)
    {
        var request = new SendMessageRequest
        {
            Messages =
            {
                new Message
                {
                    Topic = new Resource { Name = round.Topic },
                    Body = Google.Protobuf.ByteString.CopyFromUtf8(id),
                    SystemProperties = new SystemProperties
                    {
                        MessageId = id,
                        MessageType = MessageType.Delay,
                        DeliveryTimestamp = Timestamp.FromDateTime(at),
                        BodyEncoding = Apache.Rocketmq.V2.Encoding.Identity,
                    },
                },
            },
        };
        foreach (var node in round.Client.Nodes)
        {
            try
            {
                var answer = await node.Messaging.SendMessageAsync(
                    request, node.Options(TimeSpan.FromSeconds(3), cancellationToken));
                return answer.Status.Code == Code.Ok ? answer.Entries[0].RecallHandle : null;
            }
            catch (Grpc.Core.RpcException exception) when (
                !cancellationToken.IsCancellationRequested
                && Workers.CallEnd.Of(exception).Certainty == Workers.Certainty.Refused)
            {
                // A node that does not run took nothing.
            }
            catch (Grpc.Core.RpcException) when (!cancellationToken.IsCancellationRequested)
            {
                return null;
            }
        }

        return null;
    }

    // Repeated after a lost answer: then it may be gone already, which is as good.
    private static async Task<Code> RecallAsync(FeatureRound round, string handle, CancellationToken cancellationToken)
    {
        var request = new RecallMessageRequest { Topic = new Resource { Name = round.Topic }, RecallHandle = handle };
        var answer = await round.Client.CallAsync(
            async (node, options) => await node.Messaging.RecallMessageAsync(request, options),
            response => response.Status,
            cancellationToken);
        return answer.Status.Code;
    }
}
