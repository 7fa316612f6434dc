using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Broker.Proposals;
using Dledger.Storage.Records;

namespace Dledger.Broker.DeadLetters;

/// <summary>How the topic of a group's dead letters looks.</summary>
internal static class DeadLetterTopic
{
    /// <summary>
    /// The record that creates it unless it exists: one queue, any type, for the origin's types are kept.
    /// </summary>
    public static byte[] EncodeCreation(string name)
    {
        var types = MessageTypeSet.Of(MessageType.Normal, MessageType.Fifo, MessageType.Delay, MessageType.Transaction);
        return ControlRecord.Encode(
            RecordKind.TopicUpsert, new TopicUpsertCommand(UpsertMode.Ensure, name, 1, types, []).Encode());
    }
}
