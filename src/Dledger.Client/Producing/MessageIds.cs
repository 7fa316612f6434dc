using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Dledger.Client.Producing;

/// <summary>Makes message ids in the form that all RocketMQ 5 clients use.</summary>
/// <remarks>
/// 17 bytes as 34 upper-case hex digits: version 01, six bytes of the maker (here random per process), two of the process
/// id, four of seconds since 2021-01-01 UTC, four of a counter.
/// </remarks>
internal static class MessageIds
{
    private static readonly DateTimeOffset Epoch = new(2021, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly byte[] Maker = RandomNumberGenerator.GetBytes(6);
    private static int _counter = RandomNumberGenerator.GetInt32(int.MaxValue);

    public static string Next()
    {
        Span<byte> id = stackalloc byte[17];
        id[0] = 1;
        Maker.CopyTo(id[1..]);
        BinaryPrimitives.WriteUInt16BigEndian(id[7..], (ushort)Environment.ProcessId);
        BinaryPrimitives.WriteUInt32BigEndian(id[9..], (uint)(DateTimeOffset.UtcNow - Epoch).TotalSeconds);
        BinaryPrimitives.WriteInt32BigEndian(id[13..], Interlocked.Increment(ref _counter));
        return Convert.ToHexString(id);
    }
}
