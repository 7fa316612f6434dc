namespace Dledger.Broker.Commands;

/// <summary>Body of a BroadcastEnd record: member groups whose clients are gone. Layout: FORMAT.md.</summary>
internal sealed record BroadcastEndCommand(IReadOnlyList<MemberEnd> Members)
{
    private const byte FormatVersion = 1;
    private const int MemberBytes = 13;

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Int32(Members.Count);
        foreach (var member in Members)
        {
            writer.Int32(member.Id);
            writer.Int64(member.UsedAt);
            writer.Flag(member.HasLeft);
        }

        return writer.ToArray();
    }

    public static BroadcastEndCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var members = new MemberEnd[reader.Count(MemberBytes)];
        for (var i = 0; i < members.Length; i++)
        {
            members[i] = new MemberEnd(reader.Int32(), reader.Int64(), reader.Flag());
        }

        reader.End();
        return new BroadcastEndCommand(members);
    }
}

/// <summary>A member group that ends unless it was used since.</summary>
/// <param name="Id">The member group.</param>
/// <param name="UsedAt">When it was used last, as the leader knew it.</param>
/// <param name="HasLeft">Its client said goodbye; else it was silent for the time that the group's settings name.</param>
internal readonly record struct MemberEnd(int Id, long UsedAt, bool HasLeft);
