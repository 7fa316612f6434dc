using Grpc.Core;

namespace Dledger.GrpcCompat.Wire;

/// <summary>Metadata as HTTP header fields.</summary>
internal static class HeaderFields
{
    private const string BinarySuffix = Metadata.BinaryHeaderSuffix;

    /// <summary>
    /// Adds one received field unless its name is reserved. A binary value that is not base64 throws
    /// <see cref="RpcException"/> with INTERNAL, as other implementations answer.
    /// </summary>
    public static void AddReceived(Metadata metadata, string name, string value)
    {
        if (HeaderNames.IsReserved(name))
        {
            return;
        }

        if (!name.EndsWith(BinarySuffix, StringComparison.OrdinalIgnoreCase))
        {
            metadata.Add(Metadata.Entry.FromWire(name, value));
        }
        else if (!BinaryHeader.TryAdd(metadata, name, value))
        {
            throw new RpcException(
                new Status(StatusCode.Internal, $"The binary header \"{name}\" is not valid base64."));
        }
    }

    /// <summary>
    /// The text to send for an entry. Text outside 0x20..0x7E throws <see cref="ArgumentException"/>: HTTP stacks
    /// answer it by dropping the connection with all of its calls.
    /// </summary>
    public static string FormatValue(Metadata.Entry entry)
    {
        if (entry.IsBinary)
        {
            return BinaryHeader.Encode(entry.GetBytesSpan());
        }

        var value = entry.Value;
        if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            throw new ArgumentException(
                $"The metadata value of \"{entry.Key}\" has a character outside printable ASCII; "
                + "use a key that ends in \"-bin\".");
        }

        return value;
    }
}
