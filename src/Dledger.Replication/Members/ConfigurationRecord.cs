using Dledger.Primitives;
using Dledger.Raft.Quorums;
using Dledger.Replication.Peers;
using Dledger.Storage.Frames;
using Dledger.Storage.Metadata;
using Dledger.Storage.Records;

namespace Dledger.Replication.Members;

/// <summary>
/// The record of a configuration frame: who the members are (raft-and-storage.md 2.19) and where they are reached.
/// </summary>
/// <remarks>
/// The body, little-endian; the record around it has kind <see cref="RecordKind.Configuration"/> and no key:
///   0         4        6           8          10         12
///   | version | voters | votersNew | learners | reserved | members of the three lists, one behind the other
/// A member:
///   0      4           20     24           26
///   | node | storageId | port | hostLength | host, UTF-8
/// Ids are in the order of their text form, as everywhere in the log. Version 1. Frozen by Golden/configuration-v1.hex.
/// A reader refuses what it does not know: a member that is overlooked would be missing in a quorum.
/// </remarks>
internal static class ConfigurationRecord
{
    /// <summary>Longest host name in bytes of UTF-8.</summary>
    public const int HostBytesMax = 255;

    private const int Version = 1;
    private const int HeadBytes = 12;
    private const int MemberBytes = 26;
    private const int MemberCountMax = Genesis.VoterCountMax;

    /// <summary>Encodes a configuration with the addresses that are known.</summary>
    public static byte[] Encode(Configuration configuration, Func<NodeId, MemberPlace> placeOf)
    {
        IReadOnlyList<Member>[] lists = [configuration.Voters, configuration.VotersNew, configuration.Learners];
        var body = new byte[HeadBytes + (lists.Sum(list => list.Count) * (MemberBytes + HostBytesMax))];
        var writer = new BodyWriter(body);
        writer.WriteInt32(Version);
        foreach (var list in lists)
        {
            Invariant.Check(list.Count <= MemberCountMax, $"a configuration with {list.Count} members of one kind");
            writer.WriteUInt16((ushort)list.Count);
        }

        writer.WriteUInt16(0);
        foreach (var member in lists.SelectMany(list => list))
        {
            var place = placeOf(member.Node);
            writer.WriteInt32(member.Node.Value);
            writer.WriteStoredGuid(member.StorageId);
            writer.WriteInt32(place.PeerPort);
            writer.WriteText(place.Host, HostBytesMax);
        }

        return RecordEncoder.Encode(
            new RecordFields { Kind = RecordKind.Configuration }, [], [], body.AsSpan(0, writer.Length));
    }

    /// <summary>Reads the payload of a configuration frame.</summary>
    /// <param name="payload">The bytes behind the frame's header: exactly one record.</param>
    /// <param name="frame">Where the frame begins.</param>
    /// <param name="places">The address of every member, each node once.</param>
    /// <param name="fault">What is wrong when the answer is null.</param>
    public static Configuration? Decode(
        ReadOnlySpan<byte> payload, LogPosition frame, out IReadOnlyList<MemberPlace> places, out string? fault)
    {
        places = [];
        if (!RecordView.TryParseSealed(payload, frame + FrameHeader.Size, out var record, out fault))
        {
            return null;
        }

        fault = record.Kind != RecordKind.Configuration ? $"a configuration frame holds a record of kind {record.Kind}"
            : record.Length != payload.Length ? "a configuration frame holds more than one record"
            : null;
        if (fault is not null)
        {
            return null;
        }

        var reader = new BodyReader(record.Body);
        var version = reader.ReadInt32();
        int[] counts = [reader.ReadUInt16(), reader.ReadUInt16(), reader.ReadUInt16()];
        reader.ReadUInt16();
        if (version != Version || counts.Any(count => count > MemberCountMax))
        {
            fault = $"a configuration of version {version} with {string.Join(", ", counts)} members is not known here";
            return null;
        }

        var found = new List<MemberPlace>();
        var voters = ReadMembers(ref reader, counts[0], found);
        var votersNew = ReadMembers(ref reader, counts[1], found);
        var learners = ReadMembers(ref reader, counts[2], found);
        fault = !reader.IsExhausted ? "a configuration record has another length than its members need"
            : found.Exists(place => place.Node == NodeId.None) ? "a configuration names a node without a number"
            : voters.Concat(votersNew).Concat(learners).Any(member => member.StorageId == Guid.Empty)
            ? "a configuration names a member without a data directory"
            : Configuration.FindFault(voters, votersNew, learners);
        if (fault is not null)
        {
            return null;
        }

        places = [.. found.DistinctBy(place => place.Node)];
        return new Configuration(voters, learners, votersNew);
    }

    private static List<Member> ReadMembers(ref BodyReader reader, int count, List<MemberPlace> places)
    {
        var members = new List<Member>();
        for (var i = 0; i < count && reader.IsWhole; i++)
        {
            var node = reader.ReadNode();
            members.Add(new Member(node, reader.ReadStoredGuid()));
            var port = reader.ReadInt32();
            places.Add(new MemberPlace(node, reader.ReadText(), port is >= 0 and <= ushort.MaxValue ? port : 0));
        }

        return members;
    }
}
