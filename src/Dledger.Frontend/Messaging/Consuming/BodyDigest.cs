using System.Security.Cryptography;

namespace Dledger.Frontend.Messaging.Consuming;

/// <summary>The digest of a body that clients compare: MD5, upper-case hex, the one form that all of them agree on.</summary>
internal static class BodyDigest
{
    /// <summary>As text.</summary>
    public static string TextOf(ReadOnlySpan<byte> body)
    {
        Span<byte> digest = stackalloc byte[MD5.HashSizeInBytes];
        Hash(body, digest);
        return Convert.ToHexString(digest);
    }

    /// <summary>As ASCII, into exactly twice <see cref="MD5.HashSizeInBytes"/> bytes.</summary>
    public static void Write(ReadOnlySpan<byte> body, Span<byte> text)
    {
        Span<byte> digest = stackalloc byte[MD5.HashSizeInBytes];
        Hash(body, digest);
        for (var i = 0; i < digest.Length; i++)
        {
            text[2 * i] = "0123456789ABCDEF"u8[digest[i] >> 4];
            text[(2 * i) + 1] = "0123456789ABCDEF"u8[digest[i] & 15];
        }
    }

    private static void Hash(ReadOnlySpan<byte> body, Span<byte> digest)
    {
        // Named by the protocol: it finds bodies damaged on the way, it does not have to withstand anybody.
#pragma warning disable CA5351
        MD5.HashData(body, digest);
#pragma warning restore CA5351
    }
}
