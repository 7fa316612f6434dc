using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Topics;

/// <summary>A topic as the commands answer it to programs.</summary>
internal sealed record TopicAnswer(string Name, int QueueCount, IReadOnlyList<MessageType> MessageTypes)
{
    public static TopicAnswer Of(TopicDescription topic) => new(topic.Name, topic.QueueCount, topic.MessageTypes);
}
