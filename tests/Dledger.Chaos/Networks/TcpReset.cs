using System.Buffers.Binary;

namespace Dledger.Chaos.Networks;

/// <summary>Turns a TCP segment into a reset of its connection, as a router in between would send it.</summary>
/// <remarks>RFC 9293, section 3.5.3: a reset is believed when its sequence number is the next one expected, which that of the
/// segment itself is while nothing is lost. Offsets are those of an Ethernet frame with IPv4.</remarks>
internal static class TcpReset
{
    private const int Ethernet = 14;
    private const byte TcpProtocol = 6;
    private const byte ResetAndAck = 0x14;

    /// <summary>The length of the new frame in the same buffer; 0: the frame is no TCP segment.</summary>
    public static int Rewrite(Span<byte> frame)
    {
        if (frame.Length < Ethernet + 40 || frame[12] != 8 || frame[13] != 0 || frame[Ethernet + 9] != TcpProtocol)
        {
            return 0;
        }

        var ip = frame[Ethernet..];
        var ipLength = (ip[0] & 15) * 4;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(ipLength + 20));
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Fold(Sum(ip[..ipLength])));

        var tcp = ip.Slice(ipLength, 20);
        tcp[12] = 0x50;
        tcp[13] = ResetAndAck;
        tcp[14..].Clear();
        var pseudo = Sum(ip.Slice(12, 8)) + TcpProtocol + 20;
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], Fold(pseudo + Sum(tcp)));
        return Ethernet + ipLength + 20;
    }

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0u;
        for (var i = 0; i + 1 < bytes.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
        }

        return sum;
    }

    private static ushort Fold(uint sum)
    {
        while (sum > 0xffff)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return (ushort)~sum;
    }
}
