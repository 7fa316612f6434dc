using System.Diagnostics.CodeAnalysis;
using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Storage.Checkpoints;
using Dledger.Storage.Queues;
using Dledger.Storage.Snapshots;

namespace Dledger.Broker.Checkpoints;

/// <summary>Reads what <see cref="StateWriter"/> wrote, and takes the queue indexes back to it.</summary>
internal static class StateReader
{
    /// <summary>
    /// False when a queue's files do not hold what the checkpoint says; the checkpoint cannot be used then.
    /// </summary>
    public static bool TryRead(
        StateCheckpoint checkpoint,
        ConsumeQueueStore queues,
        SeededDefect defect,
        [NotNullWhen(true)] out BrokerState? state,
        [NotNullWhen(false)] out string? fault)
    {
        state = null;
        foreach (var name in StateWriter.PartNames)
        {
            if (!checkpoint.Parts.ContainsKey(name))
            {
                fault = $"part '{name}' is missing";
                return false;
            }
        }

        var restored = new BrokerState(queues, defect);
        if (!TryReadTopics(checkpoint.Parts[StateWriter.TopicsPart], queues, restored, out fault))
        {
            return false;
        }

        ReadGroups(checkpoint.Parts[StateWriter.GroupsPart], restored);
        ReadLeases(checkpoint.Parts[StateWriter.LeasesPart], restored);
        IdempotenceParts.ReadIds(checkpoint.Parts[IdempotenceParts.IdsPart], restored);
        IdempotenceParts.ReadProducers(checkpoint.Parts[IdempotenceParts.ProducersPart], restored);
        ReadMeta(checkpoint.Parts[StateWriter.MetaPart], restored);
        state = restored;
        return true;
    }

    /// <summary>What a checkpoint says about the queues, from its part of topics.</summary>
    public static List<SnapshotQueue> ReadQueues(byte[] part)
    {
        var queues = new List<SnapshotQueue>();
        var reader = new ByteReader(part);
        reader.Version(StateWriter.SettingsVersion);
        for (var left = reader.Count(1); left > 0; left--)
        {
            var id = reader.Int32();
            reader.Text();
            reader.Byte();
            reader.Int64();
            Setting.Read(ref reader);
            var queueCount = reader.Count(16);
            for (var queueId = 0; queueId < queueCount; queueId++)
            {
                queues.Add(new SnapshotQueue(
                    id, queueId, new QueueOffset(reader.Int64()), new QueueOffset(reader.Int64())));
            }
        }

        reader.End();
        return queues;
    }

    private static void ReadMeta(byte[] part, BrokerState state)
    {
        var reader = new ByteReader(part);
        reader.Version(StateWriter.FormatVersion);
        state.LogTime = reader.Int64();
        state.LogStart = new LogPosition(reader.Int64());
        state.Topics.RestoreNextId(reader.Int32());
        state.Groups.RestoreNextId(reader.Int32());
        state.Leases.RestoreNextSequence(reader.Int64());
        reader.End();
    }

    private static bool TryReadTopics(
        byte[] part, ConsumeQueueStore queues, BrokerState state, [NotNullWhen(false)] out string? fault)
    {
        var reader = new ByteReader(part);
        reader.Version(StateWriter.SettingsVersion);
        for (var left = reader.Count(1); left > 0; left--)
        {
            var id = reader.Int32();
            var name = reader.Text();
            var types = new MessageTypeSet(reader.Byte());
            var createdAt = reader.Int64();
            var settings = TopicSettingsCodec.Apply(TopicSettings.Default, Setting.Read(ref reader));
            var queueCount = reader.Count(16);
            var topic = state.Topics.Restore(
                new TopicView(id, name, queueCount, types, createdAt) { Settings = settings });
            for (var queueId = 0; queueId < queueCount; queueId++)
            {
                var min = new QueueOffset(reader.Int64());
                var max = new QueueOffset(reader.Int64());
                if (!queues.TryRestore(id, queueId, min, max, out var index, out fault))
                {
                    fault = $"queue {queueId} of topic '{name}': {fault}";
                    return false;
                }

                topic.Queues.Add(new QueueState(queueId, index!));
            }
        }

        reader.End();
        fault = null;
        return true;
    }

    private static void ReadGroups(byte[] part, BrokerState state)
    {
        var reader = new ByteReader(part);
        reader.Version(StateWriter.SettingsVersion);
        for (var left = reader.Count(1); left > 0; left--)
        {
            var id = reader.Int32();
            var name = reader.Text();
            var fifo = reader.Flag();
            var start = (GroupStart)reader.Byte();
            var createdAt = reader.Int64();
            var settings = GroupSettingsCodec.Apply(GroupSettings.Default, Setting.Read(ref reader));
            state.Groups.Restore(new GroupView(id, name, fifo, start, createdAt, settings));
            for (var subscriptions = reader.Count(8); subscriptions > 0; subscriptions--)
            {
                var (subscription, failure) = state.Subscribe(id, reader.Int32());
                Invariant.Check(subscription is not null, $"a stored subscription: {failure?.Detail ?? ""}");
                var cursorCount = reader.Count(12);
                for (var queueId = 0; queueId < cursorCount; queueId++)
                {
                    ReadCursor(ref reader, subscription, queueId, state.Leases);
                }
            }
        }

        reader.End();
    }

    private static void ReadCursor(ref ByteReader reader, Subscription subscription, int queueId, LeaseTable leases)
    {
        var cursor = new QueueCursor(subscription, queueId, reader.Int64());
        for (var left = reader.Count(11); left > 0; left--)
        {
            var deliveryState = (DeliveryState)reader.Byte();
            var attempts = reader.UInt16();
            var deliveryId = reader.Int64();
            if (deliveryState == DeliveryState.Obliged)
            {
                leases.Obligations.Add(new Obligation(
                    subscription.Group.View.Id, subscription.Topic.Id, queueId, cursor.Next));
            }

            cursor.Restore(deliveryState, attempts, deliveryId);
        }

        subscription.RestoreCursor(cursor);
    }

    private static void ReadLeases(byte[] part, BrokerState state)
    {
        var reader = new ByteReader(part);
        reader.Version(StateWriter.FormatVersion);
        for (var left = reader.Count(1); left > 0; left--)
        {
            var deliveryId = reader.Int64();
            var sequence = reader.Int64();
            var groupId = reader.Int32();
            var topicId = reader.Int32();
            var subscription = state.FindSubscription(groupId, topicId);
            Invariant.Check(
                subscription is not null, $"a stored lease of group {groupId} on topic {topicId} has its owner");
            var lease = new Lease
            {
                DeliveryId = deliveryId,
                Sequence = sequence,
                Subscription = subscription,
                StartedAt = reader.Int64(),
                InvisibleMicroseconds = reader.Int64(),
                Deadline = reader.Int64(),
                AutoRenew = reader.Flag(),
                Suspend = reader.Flag(),
                IsOrigin = reader.Flag(),
                ClientHash = reader.Int64(),
                AttemptHash = reader.UInt128(),
            };
            for (var offsets = reader.Count(12); offsets > 0; offsets--)
            {
                lease.Offsets.Add(new LeasedOffset(subscription.Cursors[reader.Int32()], reader.Int64()));
            }

            state.Leases.Restore(lease);
        }

        reader.End();
    }
}
