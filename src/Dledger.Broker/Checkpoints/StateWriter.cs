using System.Buffers.Binary;
using System.Security.Cryptography;
using Dledger.Broker.Commands;
using Dledger.Broker.Deduplication;
using Dledger.Broker.Groups;
using Dledger.Broker.Lites;
using Dledger.Broker.StateMachine;
using Dledger.Broker.Topics;
using Dledger.Broker.Transactions;

namespace Dledger.Broker.Checkpoints;

/// <summary>
/// Writes the whole state in its one canonical form: sorted by number, no volatile parts. Layout: FORMAT.md.
/// </summary>
internal static class StateWriter
{
    public const byte FormatVersion = 1;

    /// <summary>Of the part of topics: it holds lists of settings.</summary>
    public const byte TopicsVersion = 3;

    /// <summary>Of the part of groups: it holds what is aside, parked and paused, and members of broadcast groups.</summary>
    public const byte GroupsVersion = 5;

    /// <summary>Of the part of leases: it holds rests as well.</summary>
    public const byte LeasesVersion = 2;

    public const string MetaPart = "meta";
    public const string TopicsPart = "topics";
    public const string GroupsPart = "groups";
    public const string LeasesPart = "leases";
    public const string TimersPart = "timers";
    public const string ResentPart = "resent";

    /// <summary>All parts of a checkpoint.</summary>
    public static readonly IReadOnlyList<string> PartNames =
    [
        MetaPart,
        TopicsPart,
        GroupsPart,
        LeasesPart,
        TransactionsPart.Name,
        TimersPart,
        ResentPart,
        ProcessedKeysPart.Name,
        IdempotenceParts.IdsPart,
        IdempotenceParts.ProducersPart,
        LitesPart.Name,
    ];

    /// <summary>The parts of a checkpoint.</summary>
    public static IReadOnlyList<(string Name, ReadOnlyMemory<byte> Content)> Write(
        BrokerState state, SeededDefect defect = SeededDefect.None) =>
    [
        (MetaPart, WriteMeta(state)),
        (TopicsPart, WriteTopics(state)),
        (GroupsPart, WriteGroups(state)),
        (LeasesPart, WriteLeases(defect == SeededDefect.LeasesNotInCheckpoint ? [] : state.Leases.All)),
        (TransactionsPart.Name,
            TransactionsPart.Write(state.Transactions, defect != SeededDefect.TransactionsNotInCheckpoint)),
        (TimersPart, TimerWriter.Write(state.Timers)),
        (ResentPart, state.Resent.Write()),
        (ProcessedKeysPart.Name, ProcessedKeysPart.Write(state)),
        (IdempotenceParts.IdsPart, IdempotenceParts.WriteIds(state, defect)),
        (IdempotenceParts.ProducersPart, IdempotenceParts.WriteProducers(state)),
        (LitesPart.Name, LitesPart.Write(state)),
    ];

    /// <summary>64 bits that are equal on two nodes exactly if their states are (I36), but for collisions.</summary>
    /// <remarks>Of the timers it takes what waits, not where: that differs between nodes.</remarks>
    public static ulong Hash(BrokerState state)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(WriteMeta(state).Span);
        hash.AppendData(WriteTopics(state).Span);
        hash.AppendData(WriteGroups(state).Span);
        hash.AppendData(WriteLeases(state.Leases.All).Span);
        hash.AppendData(TimerWriter.WriteContent(state.Timers).Span);
        hash.AppendData(ProcessedKeysPart.Write(state).Span);
        hash.AppendData(LitesPart.Write(state).Span);

        return BinaryPrimitives.ReadUInt64LittleEndian(hash.GetHashAndReset());
    }

    private static ReadOnlyMemory<byte> WriteMeta(BrokerState state)
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Int64(state.LogTime);
        writer.Int64(state.LogStart.Value);
        writer.Int32(state.Topics.NextId);
        writer.Int32(state.Groups.NextId);
        writer.Int64(state.Leases.NextSequence);
        return writer.Written;
    }

    private static ReadOnlyMemory<byte> WriteTopics(BrokerState state)
    {
        var writer = new ByteWriter(4096);
        writer.Byte(TopicsVersion);
        writer.Int32(state.Topics.All.Count);
        foreach (var topic in state.Topics.All)
        {
            writer.Int32(topic.Id);
            writer.Text(topic.View.Name);
            writer.Byte(topic.View.AcceptedTypes.Bits);
            writer.Int64(topic.View.CreatedAtMicroseconds);
            Setting.Write(writer, TopicSettingsCodec.Encode(topic.View.Settings));
            writer.Int32(topic.Queues.Count);
            foreach (var queue in topic.Queues)
            {
                writer.Int64(queue.Min);
                writer.Int64(queue.Max);
            }
        }

        return writer.Written;
    }

    private static ReadOnlyMemory<byte> WriteGroups(BrokerState state)
    {
        var writer = new ByteWriter(4096);
        writer.Byte(GroupsVersion);
        writer.Int32(state.Groups.All.Count);
        foreach (var group in state.Groups.All)
        {
            writer.Int32(group.View.Id);
            writer.Text(group.View.Name);
            writer.Flag(group.View.Fifo);
            writer.Byte((byte)group.View.Start);
            writer.Int64(group.View.CreatedAtMicroseconds);
            Setting.Write(writer, GroupSettingsCodec.Encode(group.View.Settings));
            WritePause(writer, group.Pause);
            WriteMembership(writer, group);
            writer.Int32(group.DeadLetterQueues.Count);
            foreach (var (topicId, queueId) in group.DeadLetterQueues)
            {
                writer.Int32(topicId);
                writer.Int32(queueId);
            }

            writer.Int32(group.Subscriptions.Count);
            foreach (var (topicId, subscription) in group.Subscriptions)
            {
                writer.Int32(topicId);
                writer.Int64(subscription.Holder);
                writer.Int32(subscription.Cursors.Count);
                foreach (var cursor in subscription.Cursors)
                {
                    WriteCursor(writer, cursor);
                }
            }
        }

        return writer.Written;
    }

    private static void WritePause(ByteWriter writer, GroupPause? pause)
    {
        writer.Flag(pause is not null);
        if (pause is not null)
        {
            writer.Text(pause.Reason);
            writer.Int64(pause.SinceMicroseconds);
            writer.Int64(pause.UntilMicroseconds);
        }
    }

    private static void WriteMembership(ByteWriter writer, GroupState group)
    {
        writer.Int32(group.View.Member?.GroupId ?? 0);
        if (group.View.Member is { } member)
        {
            writer.Text(member.ClientId);
            writer.Int64(group.UsedAt);
        }
    }

    private static void WriteCursor(ByteWriter writer, QueueCursor cursor)
    {
        writer.Int64(cursor.Commit);
        var aside = cursor.Aside;
        writer.Int32(aside.Length);
        foreach (var offset in aside)
        {
            writer.Int64(offset);
            WriteDelivery(writer, cursor, offset);
        }

        writer.Int32((int)(cursor.Next - cursor.Commit));
        for (var offset = cursor.Commit; offset < cursor.Next; offset++)
        {
            WriteDelivery(writer, cursor, offset);
        }
    }

    private static void WriteDelivery(ByteWriter writer, QueueCursor cursor, long offset)
    {
        ref readonly var delivery = ref cursor.At(offset);
        writer.Byte((byte)delivery.State);
        writer.UInt16(delivery.Attempts);
        writer.Int32(delivery.GroupHash);
        writer.Int64(delivery.DeliveryId);
        switch (delivery.State)
        {
            case DeliveryState.Parked:
                writer.Int64(cursor.ParkedSince[offset]);
                break;
            case DeliveryState.Obliged:
                writer.Byte((byte)delivery.Reason);
                break;
        }
    }

    private static ReadOnlyMemory<byte> WriteLeases(IReadOnlyList<Lease> all)
    {
        var leases = all.ToArray();
        Array.Sort(leases, static (left, right) => left.Sequence.CompareTo(right.Sequence));
        var writer = new ByteWriter(4096);
        writer.Byte(LeasesVersion);
        writer.Int32(leases.Length);
        foreach (var lease in leases)
        {
            writer.Int64(lease.DeliveryId);
            writer.Int64(lease.Sequence);
            writer.Int32(lease.Subscription.Group.View.Id);
            writer.Int32(lease.Subscription.Topic.Id);
            writer.Int64(lease.StartedAt);
            writer.Int64(lease.InvisibleMicroseconds);
            writer.Int64(lease.Deadline);
            writer.Flag(lease.AutoRenew);
            writer.Flag(lease.Suspend);
            writer.Flag(lease.IsOrigin);
            writer.Flag(lease.IsRest);
            writer.Flag(lease.IsReturned);
            writer.Int64(lease.ClientHash);
            writer.UInt128(lease.AttemptHash);
            writer.Int32(lease.OpenCount);
            foreach (var leased in lease.Offsets)
            {
                if (leased.IsBoundTo(lease))
                {
                    writer.Int32(leased.Cursor.QueueId);
                    writer.Int64(leased.Offset);
                }
            }
        }

        return writer.Written;
    }
}
