namespace Dledger.Broker.Commands;

/// <summary>Body of a GroupPause record: a group is given nothing for a while, or again. Layout: FORMAT.md.</summary>
/// <param name="IsPaused">False resumes the group.</param>
/// <param name="Microseconds">How long from the frame's log time on; 0 until somebody resumes it.</param>
/// <param name="Name">The group.</param>
/// <param name="Reason">Why, for whoever looks; may be empty.</param>
internal sealed record GroupPauseCommand(bool IsPaused, long Microseconds, string Name, string Reason)
{
    private const byte FormatVersion = 1;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Flag(IsPaused);
        writer.Int64(Microseconds);
        writer.Text(Name);
        writer.Text(Reason);
        return writer.ToArray();
    }

    public static GroupPauseCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var command = new GroupPauseCommand(reader.Flag(), reader.Int64(), reader.Text(), reader.Text());
        reader.End();
        return command;
    }
}
