using System.Globalization;
using Dledger.Broker.Messages;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Clients;

/// <summary>Sends numbered messages, whose numbers say what their tags, keys and properties are.</summary>
internal sealed class FeedProducer(
    SimulatedCluster cluster, SimulationRandom random, string topic, string prefix, int messageGroups, Action<string> invoked)
    : WorkloadProducer(cluster, random, topic)
{
    /// <summary>Of a message's number: what tags, properties and keys speak of.</summary>
    public const int Modulus = 5;

    private int _number;

    /// <summary>The number that a message was sent with.</summary>
    public static int NumberOf(string messageId) =>
        int.Parse(messageId.AsSpan(messageId.LastIndexOf(':') + 1), CultureInfo.InvariantCulture);

    protected override MessageDraft Next()
    {
        var number = ++_number;
        var rest = (number % Modulus).ToString(CultureInfo.InvariantCulture);
        var draft = new MessageDraft
        {
            Body = new byte[1 + Random.Next(64)],
            MessageId = $"{prefix}{number}",
            Tag = $"t{rest}",
            Keys = [$"k{rest}"],
            UserProperties = [KeyValuePair.Create("n", rest)],
            MessageGroup = messageGroups == 0 ? null : $"m{Random.Next(messageGroups)}",
            Type = messageGroups == 0 ? MessageType.Normal : MessageType.Fifo,
        };
        invoked(draft.MessageId);
        return draft;
    }
}
