using Dledger.Broker.Timers;

namespace Dledger.Broker.Commands;

/// <summary>Body of a TimerCancel record: pending messages that are taken back. Layout: FORMAT.md.</summary>
internal sealed record TimerCancelCommand(IReadOnlyList<TimerKey> Keys)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter(8 + (Keys.Count * 16));
        writer.Byte(FormatVersion);
        writer.Int32(Keys.Count);
        foreach (var key in Keys)
        {
            writer.Int64(key.Tick);
            writer.Int64(key.Position);
        }

        return writer.ToArray();
    }

    public static TimerCancelCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var keys = new TimerKey[reader.Count(16)];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = new TimerKey(reader.Int64(), reader.Int64());
        }

        reader.End();
        return new TimerCancelCommand(keys);
    }
}
