using Dledger.Broker.Idempotence;
using Dledger.Broker.Messages;
using Dledger.Broker.Proposals;
using Dledger.Broker.Topics;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.StateMachine;

/// <summary>Applies a batch that stays compressed: its table says all that is needed. Owned by the apply loop.</summary>
/// <remarks>
/// Only batches of topics without routes, bands, lite topics and window of ids come so, with messages that are visible at once; a topic
/// that changed since the batch was checked treats it as the one it was checked for.
/// </remarks>
internal sealed class BatchApplier(BrokerState state, LeaderDuties duties, SeededDefect defect)
{
    private readonly AppendGate _gate = new(state, defect);

    public void Apply(in RecordView record, LogPosition position, IAppendAnswers? proposal)
    {
        if (state.Topics.Find(record.TopicId) is not { } topic
            || record.QueueId < 0
            || record.QueueId >= topic.Queues.Count)
        {
            proposal?.Refuse(new BrokerFailure(BrokerError.TopicNotFound, "the topic was deleted"));
            return;
        }

        var body = record.Body;
        Invariant.Check(BatchTable.TryParse(body, out var table), $"the batch at {position} has a table that fits it");
        var appendedCount = 0;
        var beginsWithRepeat = false;
        for (var index = 0; index < table.Count; index++)
        {
            var mark = AppendMark.Of(record, index);
            if (_gate.TryAnswer(mark, topic, out var answer))
            {
                beginsWithRepeat |= index == 0 && answer.Failure is null;
            }
            else if (beginsWithRepeat && defect == SeededDefect.PartialRepeatTakenWhole)
            {
                answer = new AppendEntry(new AppendedMessage(-1, new QueueOffset(-1), LogPosition.Zero, 0) { IsDuplicate = true });
            }
            else
            {
                answer = new AppendEntry(Append(record, position, topic, table.Row(body, index)));
                _gate.Remember(mark, topic, answer.Message);
                appendedCount++;
            }

            proposal?.Add(answer);
        }

        if (appendedCount > 0)
        {
            duties.MessageAppended(topic.Id, record.QueueId);
        }
    }

    private AppendedMessage Append(in RecordView record, LogPosition position, TopicState topic, in BatchRow row)
    {
        var place = position + row.Distance;
        var offset = topic.Queues[record.QueueId].Append(place, row.Length, row.IndexHash);
        return new AppendedMessage(record.QueueId, offset, place, record.StoreTime);
    }
}
