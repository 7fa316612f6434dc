using System.Diagnostics.CodeAnalysis;
using Dledger.Broker.Commands;
using Dledger.Broker.Deduplication;
using Dledger.Broker.Groups;
using Dledger.Broker.Lites;
using Dledger.Broker.Messages;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Topics;
using Dledger.Broker.Transactions;
using Dledger.Primitives;
using Dledger.Storage.Checkpoints;
using Dledger.Storage.Queues;
using Dledger.Storage.Snapshots;

namespace Dledger.Broker.Checkpoints;

/// <summary>Reads what <see cref="StateWriter"/> wrote, and takes the queue indexes back to it.</summary>
internal static class StateReader
{
    private const int DeliveryBytesMin = 15;

    /// <summary>
    /// Fills an empty state. False when a queue's files do not hold what the checkpoint says; neither can be used then.
    /// </summary>
    public static bool TryRead(
        StateCheckpoint checkpoint, BrokerState state, [NotNullWhen(false)] out string? fault)
    {
        foreach (var name in StateWriter.PartNames)
        {
            if (!checkpoint.Parts.ContainsKey(name))
            {
                fault = $"part '{name}' is missing";
                return false;
            }
        }

        if (!TryReadTopics(checkpoint.Parts[StateWriter.TopicsPart], state.Queues, state, out fault)
            || !TimerReader.TryRead(checkpoint.Parts[StateWriter.TimersPart], state.Queues, state.Timers, out fault))
        {
            return false;
        }

        LitesPart.Read(checkpoint.Parts[LitesPart.Name], state);
        ReadGroups(checkpoint.Parts[StateWriter.GroupsPart], state);
        ReadLeases(checkpoint.Parts[StateWriter.LeasesPart], state);
        TransactionsPart.Read(checkpoint.Parts[TransactionsPart.Name], state.Transactions);
        state.Resent.Read(checkpoint.Parts[StateWriter.ResentPart]);
        ProcessedKeysPart.Read(checkpoint.Parts[ProcessedKeysPart.Name], state);
        IdempotenceParts.ReadIds(checkpoint.Parts[IdempotenceParts.IdsPart], state);
        IdempotenceParts.ReadProducers(checkpoint.Parts[IdempotenceParts.ProducersPart], state);
        ReadMeta(checkpoint.Parts[StateWriter.MetaPart], state);
        return true;
    }

    /// <summary>What a checkpoint says about the queues, from its part of topics.</summary>
    public static List<SnapshotQueue> ReadQueues(byte[] part)
    {
        var queues = new List<SnapshotQueue>();
        var reader = new ByteReader(part);
        reader.Version(StateWriter.TopicsVersion);
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
        reader.Version(StateWriter.TopicsVersion);
        for (var left = reader.Count(1); left > 0; left--)
        {
            var id = reader.Int32();
            var name = reader.Text();
            var types = new MessageTypeSet(reader.Byte());
            var createdAt = reader.Int64();
            var settings = TopicSettingsCodec.Apply(TopicSettings.Default, Setting.Read(ref reader));
            var queueCount = reader.Count(16);
            var isLite = types == MessageTypeSet.Lite;
            var topic = state.Topics.Restore(new TopicView(id, name, isLite ? 1 : queueCount, types, createdAt)
            {
                Settings = settings,
                Lites = isLite ? new LiteTable() : null,
            });
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
        reader.Version(StateWriter.GroupsVersion);
        for (var left = reader.Count(1); left > 0; left--)
        {
            var id = reader.Int32();
            var name = reader.Text();
            var fifo = reader.Flag();
            var start = (GroupStart)reader.Byte();
            var createdAt = reader.Int64();
            var settings = GroupSettingsCodec.Apply(GroupSettings.Default, Setting.Read(ref reader));
            var view = new GroupView(id, name, fifo, start, createdAt, settings) { Pause = ReadPause(ref reader) };
            var ownerId = reader.Int32();
            var group = ownerId == 0
                ? state.Groups.Restore(view)
                : state.Groups.Restore(view with { Member = new Membership(ownerId, reader.Text()) }, reader.Int64());
            for (var queues = reader.Count(8); queues > 0; queues--)
            {
                group.DeadLetterQueues.Add(reader.Int32(), reader.Int32());
            }

            for (var subscriptions = reader.Count(16); subscriptions > 0; subscriptions--)
            {
                var (subscription, failure) = state.Subscribe(id, reader.Int32());
                Invariant.Check(subscription is not null, $"a stored subscription: {failure?.Detail ?? ""}");
                subscription.Holder = reader.Int64();
                var cursorCount = reader.Count(16);
                for (var queueId = 0; queueId < cursorCount; queueId++)
                {
                    ReadCursor(ref reader, subscription, queueId, state.Leases);
                }
            }
        }

        reader.End();
    }

    private static GroupPause? ReadPause(ref ByteReader reader) =>
        reader.Flag() ? new GroupPause(reader.Text(), reader.Int64(), reader.Int64()) : null;

    private static void ReadCursor(ref ByteReader reader, Subscription subscription, int queueId, LeaseTable leases)
    {
        var cursor = new QueueCursor(subscription, queueId, reader.Int64());
        for (var left = reader.Count(DeliveryBytesMin + 8); left > 0; left--)
        {
            ReadDelivery(ref reader, cursor, reader.Int64(), leases);
        }

        for (var left = reader.Count(DeliveryBytesMin); left > 0; left--)
        {
            ReadDelivery(ref reader, cursor, cursor.Next, leases);
        }

        subscription.RestoreCursor(cursor);
    }

    private static void ReadDelivery(ref ByteReader reader, QueueCursor cursor, long offset, LeaseTable leases)
    {
        var delivery = new Delivery
        {
            State = (DeliveryState)reader.Byte(),
            Attempts = (ushort)reader.UInt16(),
            GroupHash = reader.Int32(),
            DeliveryId = reader.Int64(),
        };
        var parkedSince = delivery.State == DeliveryState.Parked ? reader.Int64() : 0;
        if (delivery.State == DeliveryState.Obliged)
        {
            delivery.Reason = (DeadLetterReason)reader.Byte();
            leases.Obligations.Add(new Obligation(
                cursor.Subscription.Group.View.Id, cursor.Subscription.Topic.Id, cursor.QueueId, offset));
        }

        cursor.Restore(offset, delivery, parkedSince);
    }

    private static void ReadLeases(byte[] part, BrokerState state)
    {
        var reader = new ByteReader(part);
        reader.Version(StateWriter.LeasesVersion);
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
                IsRest = reader.Flag(),
                IsReturned = reader.Flag(),
                ClientHash = reader.Int64(),
                AttemptHash = reader.UInt128(),
            };
            for (var offsets = reader.Count(12); offsets > 0; offsets--)
            {
                var cursor = subscription.Cursors[reader.Int32()];
                var offset = reader.Int64();
                lease.Add(cursor, offset, cursor.At(offset).Attempts);
            }

            state.Leases.Restore(lease);
        }

        reader.End();
    }
}
