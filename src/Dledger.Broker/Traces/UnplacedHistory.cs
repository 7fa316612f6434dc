using Dledger.Broker.Commands;
using Dledger.Broker.Timers;
using Dledger.Broker.Transactions;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Traces;

/// <summary>Takes the records of the log one by one and keeps what they say about one message that is in no queue.</summary>
/// <param name="position">Where the message was stored first.</param>
/// <param name="newest">Where the newest copy of it lies that waited; the same when it was never copied.</param>
/// <param name="transactionId">Its transaction; 0: none.</param>
internal sealed class UnplacedHistory(LogPosition position, LogPosition newest, long transactionId)
{
    // Where copies of it waited.
    private readonly HashSet<long> _places = [position.Value, newest.Value];
    private bool _isOver;

    /// <summary>In the order of the log.</summary>
    public List<TraceEvent> Events { get; } = [];

    /// <summary>Takes in the next record.</summary>
    public void Take(in RecordView record, LogPosition at)
    {
        switch (record.Kind)
        {
            case RecordKind.TimerCancel when !_isOver && TimerCancelCommand.Decode(record.Body).Keys.Any(IsIt):
                _isOver = true;
                Add(TraceEventKind.Recalled, record.StoreTime, at, "taken back by its sender or an operator before its delivery time");
                break;
            case RecordKind.TimerMove when !_isOver:
                foreach (var move in TimerMoveCommand.Decode(record.Body).Moves)
                {
                    if (IsIt(move.Key))
                    {
                        Add(
                            TraceEventKind.Rescheduled, record.StoreTime, at,
                            $"moved by an operator, to be delivered at {HistoryReader.Time(move.Tick * TimerKey.TickMicroseconds)}");
                    }
                }

                break;
            case RecordKind.Relocate when IsIt(TimerReference.Read(record)):
                _places.Add(at.Value);
                break;
            case RecordKind.TimerFire when !_isOver && IsIt(TimerReference.Read(record)):
                _isOver = true;
                break;
            case RecordKind.TransactionCheck when transactionId != 0 && TransactionCheckCommand.Decode(record.Body).Ids.Contains(transactionId):
                Add(TraceEventKind.Checked, record.StoreTime, at, "a check of its transaction was due");
                break;
            case RecordKind.EndTransaction when transactionId != 0:
                var end = EndTransactionCommand.Decode(record.Body);
                if (end.Ids.Contains(transactionId))
                {
                    Add(
                        TraceEventKind.Decided, record.StoreTime, at,
                        end.Decision == TransactionDecision.Committed ? "a commit of its transaction came" : "a roll-back of its transaction came");
                }

                break;
            default:
                break;
        }
    }

    private bool IsIt(TimerKey key) => _places.Contains(key.Position);

    private void Add(TraceEventKind kind, long time, LogPosition at, string sentence) =>
        Events.Add(new TraceEvent(kind, time, at, "", 0, "", 0, sentence));
}
