using System.Text;

namespace Dledger.GrpcCompat.Wire;

/// <summary>
/// The coding of <c>grpc-message</c>: UTF-8, where bytes outside 0x20..0x7E and '%' become <c>%XX</c>.
/// </summary>
/// <remarks>gRPC over HTTP/2, "Status-Message". Decoding never fails: what is no valid escape stays as it is.</remarks>
internal static class PercentEncoding
{
    /// <summary>
    /// Longest encoded text; clients with an 8 KiB header limit would drop the whole response above it.
    /// </summary>
    public const int EncodedCharsMax = 4096;

    public static string Encode(string text)
    {
        var plain = true;
        foreach (var character in text)
        {
            plain &= IsPlain(character);
        }

        if (plain && text.Length <= EncodedCharsMax)
        {
            return text;
        }

        var encoded = new StringBuilder(Math.Min(text.Length * 3, EncodedCharsMax));
        Span<byte> bytes = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            var count = rune.EncodeToUtf8(bytes);
            var width = count == 1 && IsPlain((char)bytes[0]) ? 1 : count * 3;
            if (encoded.Length + width > EncodedCharsMax)
            {
                break;
            }

            AppendBytes(encoded, bytes[..count], width == 1);
        }

        return encoded.ToString();
    }

    public static string Decode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
        {
            return text;
        }

        var source = Encoding.UTF8.GetBytes(text);
        var count = 0;
        for (var index = 0; index < source.Length; index++)
        {
            if (source[index] == '%'
                && index + 2 < source.Length
                && char.IsAsciiHexDigit((char)source[index + 1])
                && char.IsAsciiHexDigit((char)source[index + 2]))
            {
                source[count++] = Convert.FromHexString([(char)source[index + 1], (char)source[index + 2]])[0];
                index += 2;
            }
            else
            {
                source[count++] = source[index];
            }
        }

        return Encoding.UTF8.GetString(source, 0, count);
    }

    private static void AppendBytes(StringBuilder encoded, ReadOnlySpan<byte> bytes, bool plain)
    {
        if (plain)
        {
            encoded.Append((char)bytes[0]);
            return;
        }

        foreach (var value in bytes)
        {
            encoded.Append('%').Append(value.ToString("X2"));
        }
    }

    private static bool IsPlain(char character)
    {
        return character is >= ' ' and <= '~' and not '%';
    }
}
