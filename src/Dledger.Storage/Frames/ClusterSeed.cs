using System.Buffers.Binary;
using Dledger.Primitives;

namespace Dledger.Storage.Frames;

/// <summary>
/// The value that every header checksum of one Raft group starts from, so that frames of another cluster or group never
/// pass; also the chain value before a log's first frame.
/// </summary>
public readonly record struct ClusterSeed(uint Value)
{
    /// <summary>
    /// CRC-32C over the cluster id (16 bytes as its text form orders them) and the group number (4 bytes).
    /// </summary>
    public static ClusterSeed Of(Guid clusterId, RaftGroupId group)
    {
        Span<byte> bytes = stackalloc byte[20];
        clusterId.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], group.Value);
        return new ClusterSeed(Crc32C.Compute(bytes));
    }
}
