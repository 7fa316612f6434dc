using Dledger.Broker.Timers;

namespace Dledger.Broker.Commands;

/// <summary>Body of a TimerMove record: pending messages that get another delivery time. Layout: FORMAT.md.</summary>
internal sealed record TimerMoveCommand(IReadOnlyList<TimerMove> Moves)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter(8 + (Moves.Count * 32));
        writer.Byte(FormatVersion);
        writer.Int32(Moves.Count);
        foreach (var (key, origin, tick) in Moves)
        {
            writer.Int64(key.Tick);
            writer.Int64(key.Position);
            writer.Int64(origin);
            writer.Int64(tick);
        }

        return writer.ToArray();
    }

    public static TimerMoveCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var moves = new TimerMove[reader.Count(32)];
        for (var i = 0; i < moves.Length; i++)
        {
            moves[i] = new TimerMove(new TimerKey(reader.Int64(), reader.Int64()), reader.Int64(), reader.Int64());
        }

        reader.End();
        return new TimerMoveCommand(moves);
    }
}

/// <summary>One pending message and its new time.</summary>
/// <param name="Key">Which.</param>
/// <param name="Origin">Where its record lay when it was stored, which is what its sender's handle says.</param>
/// <param name="Tick">The new delivery time, in ticks.</param>
internal readonly record struct TimerMove(TimerKey Key, long Origin, long Tick);
