using System.Net.Http.Headers;
using Dledger.GrpcCompat.Wire;
using Grpc.Core;

namespace Dledger.GrpcCompat.Client;

/// <summary>Translates metadata to and from the headers of <see cref="HttpClient"/>.</summary>
internal static class CallHeaders
{
    public static readonly MediaTypeHeaderValue ContentType = new(HeaderNames.GrpcContentType);

    private static readonly string UserAgent =
        $"grpc-dotnet-dledger/{typeof(CallHeaders).Assembly.GetName().Version?.ToString(3)}";

    /// <summary>What every request carries besides its metadata.</summary>
    public static void AddProtocolHeaders(HttpRequestHeaders headers, string? requestEncoding, TimeSpan? timeout)
    {
        headers.TryAddWithoutValidation(HeaderNames.Te, "trailers");
        headers.TryAddWithoutValidation(HeaderNames.AcceptEncoding, HeaderNames.AcceptedEncodings);
        if (!headers.Contains(HeaderNames.UserAgent))
        {
            headers.TryAddWithoutValidation(HeaderNames.UserAgent, UserAgent);
        }

        if (requestEncoding is not null)
        {
            headers.TryAddWithoutValidation(HeaderNames.Encoding, requestEncoding);
        }

        if (timeout is { } remaining)
        {
            headers.TryAddWithoutValidation(HeaderNames.Timeout, GrpcTimeout.Format(remaining));
        }
    }

    /// <summary>
    /// Text that HTTP cannot carry throws <see cref="ArgumentException"/>; reserved names are left out.
    /// </summary>
    public static void AddMetadata(HttpRequestMessage request, Metadata metadata)
    {
        foreach (var entry in metadata)
        {
            if (HeaderNames.IsReserved(entry.Key))
            {
                continue;
            }

            var value = HeaderFields.FormatValue(entry);
            if (!request.Headers.TryAddWithoutValidation(entry.Key, value))
            {
                // HttpClient files some names, such as "expires", under the content.
                request.Content!.Headers.TryAddWithoutValidation(entry.Key, value);
            }
        }
    }

    public static Metadata Read(HttpHeaders headers)
    {
        var metadata = new Metadata();
        foreach (var (name, values) in headers.NonValidated)
        {
            foreach (var value in values)
            {
                HeaderFields.AddReceived(metadata, name, value);
            }
        }

        return metadata;
    }

    public static string? Get(HttpHeaders headers, string name)
    {
        return headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;
    }
}
