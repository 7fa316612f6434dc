using Dledger.Broker.Groups;

namespace Dledger.Broker.Commands;

/// <summary>Body of a GroupUpsert record. Layout: FORMAT.md.</summary>
/// <param name="Mode">What it is.</param>
/// <param name="Name">The group.</param>
/// <param name="Fifo">Its order mode; not looked at in an update.</param>
/// <param name="Start">Where it begins in a topic; not looked at in an update.</param>
/// <param name="Settings">Those that differ from the defaults; in an update those that change.</param>
internal sealed record GroupUpsertCommand(
    UpsertMode Mode, string Name, bool Fifo, GroupStart Start, IReadOnlyList<Setting> Settings)
{
    private const byte FormatVersion = 2;

    public byte[] Encode()
    {
        var writer = new ByteWriter(256);
        writer.Byte(FormatVersion);
        writer.Byte((byte)Mode);
        writer.Flag(Fifo);
        writer.Byte((byte)Start);
        writer.Text(Name);
        Setting.Write(writer, Settings);
        return writer.ToArray();
    }

    public static GroupUpsertCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var mode = (UpsertMode)reader.Byte();
        var fifo = reader.Flag();
        var start = (GroupStart)reader.Byte();
        var name = reader.Text();
        var settings = Setting.Read(ref reader);
        reader.End();
        return new GroupUpsertCommand(mode, name, fifo, start, settings);
    }
}
