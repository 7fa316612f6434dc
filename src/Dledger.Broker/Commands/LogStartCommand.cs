using Dledger.Primitives;

namespace Dledger.Broker.Commands;

/// <summary>
/// Body of a LogStartAdvance record: messages whose records lie before the position are gone from all queues. Layout: FORMAT.md.
/// </summary>
internal readonly record struct LogStartCommand(LogPosition Start)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Int64(Start.Value);
        return writer.ToArray();
    }

    public static LogStartCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var start = new LogPosition(reader.Int64());
        reader.End();
        return new LogStartCommand(start);
    }
}
