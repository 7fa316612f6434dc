using Dledger.Storage.Records;

namespace Dledger.Broker.Idempotence;

/// <summary>By what a message is known as a repeat: its number, and the hash of its id.</summary>
/// <param name="ProducerId">0 without numbers.</param>
/// <param name="ProducerEpoch">Of the producer.</param>
/// <param name="Sequence">The number.</param>
/// <param name="MessageIdHash">Null where the topic remembers no ids.</param>
internal readonly record struct AppendMark(long ProducerId, int ProducerEpoch, int Sequence, UInt128? MessageIdHash)
{
    public static AppendMark Of(in RecordView record) =>
        new(record.ProducerId, record.ProducerEpoch, record.Sequence, record.MessageIdHash);

    /// <summary>The same of a message of a batch that stays compressed.</summary>
    public static AppendMark Of(in RecordView batch, int index) => new(
        batch.ProducerId, batch.ProducerEpoch, batch.ProducerId == 0 ? 0 : batch.Sequence + index, null);
}
