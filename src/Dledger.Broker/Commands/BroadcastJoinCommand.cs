using Dledger.Primitives;

namespace Dledger.Broker.Commands;

/// <summary>
/// Body of a BroadcastJoin record: a client becomes a member of a broadcast group (form 0), or members are still there (form 1).
/// Layout: FORMAT.md.
/// </summary>
/// <param name="GroupId">The broadcast group; form 0.</param>
/// <param name="ClientId">Its client; form 0.</param>
/// <param name="MembersMax">The record has no effect when the group has so many members already; form 0.</param>
/// <param name="Present">Member groups whose clients live; form 1.</param>
internal sealed record BroadcastJoinCommand(int GroupId, string ClientId, int MembersMax, IReadOnlyList<int> Present)
{
    private const byte FormatVersion = 1;

    /// <summary>Whether it is of form 0.</summary>
    public bool IsJoin => GroupId != 0;

    public static BroadcastJoinCommand OfPresence(IReadOnlyList<int> members) => new(0, "", 0, members);

    public byte[] Encode()
    {
        var writer = new ByteWriter();
        writer.Byte(FormatVersion);
        writer.Byte(IsJoin ? (byte)0 : (byte)1);
        if (IsJoin)
        {
            writer.Int32(GroupId);
            writer.Text(ClientId);
            writer.Int32(MembersMax);
            return writer.ToArray();
        }

        writer.Int32(Present.Count);
        foreach (var member in Present)
        {
            writer.Int32(member);
        }

        return writer.ToArray();
    }

    public static BroadcastJoinCommand Decode(ReadOnlySpan<byte> body)
    {
        var reader = new ByteReader(body);
        reader.Version(FormatVersion);
        var form = reader.Byte();
        Invariant.Check(form <= 1, $"a stored join has form {form}");
        BroadcastJoinCommand command;
        if (form == 0)
        {
            command = new BroadcastJoinCommand(reader.Int32(), reader.Text(), reader.Int32(), []);
        }
        else
        {
            var members = new int[reader.Count(sizeof(int))];
            for (var i = 0; i < members.Length; i++)
            {
                members[i] = reader.Int32();
            }

            command = OfPresence(members);
        }

        reader.End();
        return command;
    }
}
