using Dledger.Broker.Commands;
using Dledger.Broker.Messages;
using Dledger.Primitives;
using Dledger.Storage.Records;

namespace Dledger.Broker.Timers;

/// <summary>Which pending message a TimerFire or Relocate record is the copy of. Layout: Commands/FORMAT.md.</summary>
internal static class TimerReference
{
    private const byte FormatVersion = 1;

    public static byte[] Encode(TimerKey key)
    {
        var writer = new ByteWriter(17);
        writer.Byte(FormatVersion);
        writer.Int64(key.Tick);
        writer.Int64(key.Position);
        return writer.ToArray();
    }

    /// <summary>Of a record that is such a copy.</summary>
    public static TimerKey Read(in RecordView record)
    {
        Invariant.Check(
            RecordCopy.TryFind(record, PropertyKind.TimerReference, out var content),
            $"a record of kind {record.Kind} names the pending message that it copies");
        var reader = new ByteReader(content);
        reader.Version(FormatVersion);
        var key = new TimerKey(reader.Int64(), reader.Int64());
        reader.End();
        return key;
    }
}
