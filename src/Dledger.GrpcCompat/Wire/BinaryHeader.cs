using Grpc.Core;

namespace Dledger.GrpcCompat.Wire;

/// <summary>
/// The coding of values whose key ends in <c>-bin</c>: base64, sent without padding, read with or without.
/// </summary>
/// <remarks>gRPC over HTTP/2, "Binary-Header". Proxies may join several values by commas.</remarks>
internal static class BinaryHeader
{
    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        return Convert.ToBase64String(bytes).TrimEnd('=');
    }

    /// <summary>False where the text is not base64 of the standard alphabet.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        var trimmed = text.Trim().TrimEnd('=');
        var padded = new char[(trimmed.Length + 3) / 4 * 4];
        trimmed.CopyTo(padded);
        padded.AsSpan(trimmed.Length).Fill('=');
        bytes = new byte[padded.Length / 4 * 3];
        if (!Convert.TryFromBase64Chars(padded, bytes, out var written))
        {
            bytes = [];
            return false;
        }

        Array.Resize(ref bytes, written);
        return true;
    }

    /// <summary>
    /// Adds each of the comma-joined values as its own entry; false at the first that cannot be read.
    /// </summary>
    public static bool TryAdd(Metadata metadata, string key, string joined)
    {
        foreach (var range in joined.AsSpan().Split(','))
        {
            if (!TryDecode(joined.AsSpan(range), out var bytes))
            {
                return false;
            }

            metadata.Add(Metadata.Entry.FromWire(key, bytes));
        }

        return true;
    }
}
