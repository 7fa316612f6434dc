using System.Globalization;
using System.Text;

namespace Dledger.Chaos.Histories;

/// <summary>A body that proves itself: <c>C3 id topic length crc</c>, a line feed, then padding made of the id.</summary>
/// <remarks>Length (6 digits) is that of the whole body; the CRC-32 (8 hex digits) covers id, topic and padding. ASCII.</remarks>
internal static class MessageBody
{
    private const string Magic = "C3";

    // Runs of a letter: what compresses is kept compressed by the nodes.
    private const int RunLength = 16;

    /// <summary>Makes a body of about the given number of bytes, at least as long as its head.</summary>
    public static byte[] Encode(string id, string topic, int length)
    {
        var head = $"{Magic} {id} {topic} ".Length + 6 + 1 + 8 + 1;
        var total = Math.Max(length, head);
        var padding = Padding(id, total - head);
        var text = string.Create(
            CultureInfo.InvariantCulture, $"{Magic} {id} {topic} {total:D6} {Sum(id, topic, padding):x8}\n{padding}");
        return Encoding.ASCII.GetBytes(text);
    }

    /// <summary>Reads a body; false when any byte is not as it was made.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> body, out string id, out string topic)
    {
        id = topic = "";
        var end = body.IndexOf((byte)'\n');
        if (end < 0)
        {
            return false;
        }

        var head = Encoding.ASCII.GetString(body[..end]).Split(' ');
        if (head.Length != 5 || head[0] != Magic)
        {
            return false;
        }

        (id, topic) = (head[1], head[2]);
        var padding = Encoding.ASCII.GetString(body[(end + 1)..]);
        return int.TryParse(head[3], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            && length == body.Length
            && head[4] == Sum(id, topic, padding).ToString("x8", CultureInfo.InvariantCulture);
    }

    private static uint Sum(string id, string topic, string padding) =>
        Crc.Of(Encoding.ASCII.GetBytes($"{id} {topic} {padding}"), Crc.Ieee);

    private static string Padding(string id, int length)
    {
        var state = Crc.Of(Encoding.ASCII.GetBytes(id), Crc.Ieee) | 1;
        return string.Create(length, state, static (span, seed) =>
        {
            while (!span.IsEmpty)
            {
                seed ^= seed << 13;
                seed ^= seed >> 17;
                seed ^= seed << 5;
                var run = Math.Min(RunLength, span.Length);
                span[..run].Fill((char)('a' + (seed % 26)));
                span = span[run..];
            }
        });
    }
}
