using System.Text;
using Dledger.Broker.Commands;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;
using Dledger.Broker.StateMachine;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Parking;

/// <summary>Lists, releases and drops parked messages for operators. Any thread.</summary>
internal sealed class ParkingService(BrokerCalls calls)
{
    /// <summary>Most messages that one answer lists.</summary>
    public const int ListMax = 1_000;

    public async ValueTask<(ParkedList? List, BrokerFailure? Failure)> ListAsync(
        ParkingSelection selection, CancellationToken cancellationToken)
    {
        var (command, refused) = Resolve(selection, ParkingAction.Release);
        if (command is null)
        {
            return (null, refused);
        }

        var (list, failure) = await calls.LookAsync<(ParkedList?, BrokerFailure?)>(
            state => (List(state, command), null), static reason => (null, reason), cancellationToken);
        return list is null
            ? (null, failure)
            : (list with { Messages = [.. list.Messages.Select(Describe)] }, null);
    }

    /// <summary>Hands the selected messages out again, or moves them to the dead letter topic. How many they were.</summary>
    public async ValueTask<(int Count, BrokerFailure? Failure)> EndAsync(
        ParkingSelection selection, bool drops, CancellationToken cancellationToken)
    {
        var (command, refused) = Resolve(selection, drops ? ParkingAction.Drop : ParkingAction.Release);
        if (command is null)
        {
            return (0, refused);
        }

        return await calls.ProposeRecordsAsync<(int, BrokerFailure?)>(
            Proposals.ControlRecord.Encode(RecordKind.Parking, command.Encode()),
            1,
            static reason => (0, reason),
            cancellationToken);
    }

    private static ParkedList List(BrokerState state, ParkingCommand selection)
    {
        if (state.Groups.Find(selection.GroupId) is not { } group)
        {
            return new ParkedList([], 0);
        }

        var all = ParkingTable.Find(group, selection).ToList();
        return new ParkedList([.. all.Take(ListMax).Select(each => Describe(each.Cursor, each.Offset))], all.Count);
    }

    private static ParkedMessage Describe(QueueCursor cursor, long offset)
    {
        var topic = cursor.Subscription.Topic;
        var entry = topic.Queues[cursor.QueueId].Read(offset);
        ref readonly var delivery = ref cursor.At(offset);
        return new ParkedMessage(
            topic.View.Name,
            cursor.QueueId,
            new QueueOffset(offset),
            entry.Position,
            entry.Size,
            delivery.Attempts,
            cursor.ParkedSince[offset],
            delivery.GroupHash,
            ParkingTable.CountBehind(cursor, offset));
    }

    private ParkedMessage Describe(ParkedMessage message)
    {
        if (calls.Records.Read(message.Position, message.RecordBytes) is not { } bytes)
        {
            return message;
        }

        RecordView.TryParseUnchecked(bytes, out var record, out _);
        return message with
        {
            MessageId = Encoding.UTF8.GetString(record.Key),
            MessageGroup = RecordCopy.TryFind(record, PropertyKind.MessageGroup, out var group)
                ? Encoding.UTF8.GetString(group)
                : null,
        };
    }

    private (ParkingCommand? Command, BrokerFailure? Failure) Resolve(ParkingSelection selection, ParkingAction action)
    {
        var broken = Names.CheckGroup(selection.Group)
            ?? (selection.Topic is { } name ? Names.CheckTopic(name) : null);
        if (broken is { } violation)
        {
            return (null, BrokerFailure.Of(violation));
        }

        if (selection.Offset is not null && (selection.Topic is null || selection.QueueId is null))
        {
            return (null, new BrokerFailure(
                BrokerError.InvalidArgument, "an offset selects a message only together with its topic and queue"));
        }

        if (calls.CheckServing() is { } notServing)
        {
            return (null, notServing);
        }

        if (calls.Machine.Groups.Find(selection.Group) is not { } group)
        {
            return (null, GroupService.NotFound(selection.Group));
        }

        if (BroadcastRules.CheckHasOffsets(group) is { } broadcast)
        {
            return (null, BrokerFailure.Of(broadcast));
        }

        var topic = selection.Topic is null ? null : calls.Machine.Topics.Find(selection.Topic);
        if (selection.Topic is not null && topic is null)
        {
            return (null, Topics.TopicService.NotFound(selection.Topic));
        }

        var hash = selection.MessageGroup is { } messageGroup
            ? IndexHash.OfGroup(MessageGroupHash.Of(messageGroup))
            : (int?)null;
        return (
            new ParkingCommand(action, group.Id, topic?.Id ?? 0, selection.QueueId ?? -1, selection.Offset ?? -1, hash, 0),
            null);
    }
}
