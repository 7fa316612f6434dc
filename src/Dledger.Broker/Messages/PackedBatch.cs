using Dledger.Broker.Proposals;
using Dledger.Storage.Records;

namespace Dledger.Broker.Messages;

/// <summary>A batch of the log that stays compressed on its way to a consumer too. Whoever has it returns it, once.</summary>
/// <param name="record">Verified, in rented memory.</param>
/// <param name="table">Its table.</param>
/// <param name="storeTime">Log time of its messages.</param>
internal readonly struct PackedBatch(RecordBuffer record, in BatchTable table, long storeTime)
{
    public BatchTable Table { get; } = table;

    /// <summary>Log time of its messages.</summary>
    public long StoreTime { get; } = storeTime;

    /// <summary>What the producer sent.</summary>
    public ReadOnlySpan<byte> Block
    {
        get
        {
            RecordView.TryParseUnchecked(record.Span, out var view, out _);
            return Table.Block(view.Body);
        }
    }

    public void Return() => record.Return();
}
