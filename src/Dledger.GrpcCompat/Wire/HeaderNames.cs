namespace Dledger.GrpcCompat.Wire;

/// <summary>Header names and values that gRPC over HTTP/2 gives a meaning to.</summary>
internal static class HeaderNames
{
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string Timeout = "grpc-timeout";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";

    /// <summary>Never sent: metadata of this name choose the encoding of the messages that follow.</summary>
    public const string EncodingRequest = "grpc-internal-encoding-request";

    public const string ContentType = "content-type";
    public const string UserAgent = "user-agent";
    public const string Te = "te";

    public const string GrpcContentType = "application/grpc";
    public const string Identity = "identity";
    public const string Gzip = "gzip";
    public const string AcceptedEncodings = "identity,gzip";

    /// <summary>Names that are part of the protocol, so that neither side shows or takes them as metadata.</summary>
    public static bool IsReserved(string name)
    {
        return name.StartsWith(':')
            || Is(name, ContentType)
            || Is(name, Te)
            || Is(name, "host")
            || Is(name, "accept-encoding")
            || Is(name, "content-length")
            || Is(name, Status)
            || Is(name, Message)
            || Is(name, Timeout)
            || Is(name, Encoding)
            || Is(name, AcceptEncoding)
            || Is(name, EncodingRequest);
    }

    /// <summary><c>application/grpc</c>, alone or with <c>+subtype</c> or parameters.</summary>
    public static bool IsGrpcContentType(string? value)
    {
        return value is not null
            && value.StartsWith(GrpcContentType, StringComparison.OrdinalIgnoreCase)
            && (value.Length == GrpcContentType.Length || value[GrpcContentType.Length] is '+' or ';' or ' ');
    }

    /// <summary>Whether a comma-separated list such as <c>grpc-accept-encoding</c> has that entry.</summary>
    public static bool ListContains(string? list, string entry)
    {
        foreach (var range in list.AsSpan().Split(','))
        {
            if (list.AsSpan(range).Trim().Equals(entry, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Is(string name, string other)
    {
        return name.Equals(other, StringComparison.OrdinalIgnoreCase);
    }
}
