using Dledger.Frontend.Calls;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Dledger.Frontend.Tests.Calls;

/// <summary>A server call that exists only as metadata, a deadline and a token.</summary>
internal sealed class StubCallContext(
    IEnumerable<Metadata.Entry> headers, DateTime? deadline = null, CancellationToken cancellationToken = default)
    : ServerCallContext
{
    /// <summary>The call, with the headers as the fields that an HTTP request would have.</summary>
    public ClientCall AsCall()
    {
        var fields = new HeaderDictionary();
        foreach (var entry in RequestHeadersCore)
        {
            fields.Append(entry.Key, entry.Value);
        }

        return new ClientCall(this, fields, TimeProvider.System);
    }

    protected override string MethodCore => "/test/Call";

    protected override string HostCore => "IPAuthority";

    protected override string PeerCore => "ipv4:127.0.0.1:1";

    protected override DateTime DeadlineCore => deadline ?? DateTime.MaxValue;

    protected override Metadata RequestHeadersCore { get; } = [.. headers];

    protected override CancellationToken CancellationTokenCore => cancellationToken;

    protected override Metadata ResponseTrailersCore { get; } = [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => throw new NotSupportedException();

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException();

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
}
