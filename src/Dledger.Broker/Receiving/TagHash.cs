using System.Text;

namespace Dledger.Broker.Receiving;

/// <summary>The hash of a tag that a ConsumeQueue entry holds. Persisted, hence frozen.</summary>
public static class TagHash
{
    /// <summary>A message without a tag.</summary>
    public const long None = 0;

    /// <summary>
    /// Java's <c>String.hashCode</c> (h = 31 * h + c over UTF-16 code units, 32 bits, wrapping), sign-extended to 64
    /// bits as
    /// RocketMQ does.
    /// </summary>
    public static long Of(string? tag) => tag is null ? None : Of(tag.AsSpan());

    /// <summary>The same for the UTF-8 text of a tag that is there.</summary>
    public static long OfUtf8(ReadOnlySpan<byte> tag)
    {
        if (!Ascii.IsValid(tag))
        {
            return Of(Encoding.UTF8.GetString(tag));
        }

        var hash = 0;
        foreach (var unit in tag)
        {
            hash = unchecked((31 * hash) + unit);
        }

        return hash;
    }

    private static long Of(ReadOnlySpan<char> tag)
    {
        var hash = 0;
        foreach (var unit in tag)
        {
            hash = unchecked((31 * hash) + unit);
        }

        return hash;
    }
}
