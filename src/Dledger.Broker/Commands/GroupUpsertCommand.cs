using Dledger.Broker.Groups;

namespace Dledger.Broker.Commands;

/// <summary>Body of a GroupUpsert record. Layout: FORMAT.md.</summary>
internal sealed record GroupUpsertCommand(
    UpsertMode Mode, string Name, bool Fifo, GroupStart Start, int MaxAttempts, BackoffPolicy Backoff)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter(256);
        writer.Byte(FormatVersion);
        writer.Byte((byte)Mode);
        writer.Flag(Fifo);
        writer.Byte((byte)Start);
        writer.Int32(MaxAttempts);
        writer.Text(Name);
        BackoffCodec.Write(writer, Backoff);
        return writer.ToArray();
    }

    public static GroupUpsertCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var mode = (UpsertMode)reader.Byte();
        var fifo = reader.Flag();
        var start = (GroupStart)reader.Byte();
        var maxAttempts = reader.Int32();
        var name = reader.Text();
        var backoff = BackoffCodec.Read(ref reader);
        reader.End();
        return new GroupUpsertCommand(mode, name, fifo, start, maxAttempts, backoff);
    }
}
