using System.Globalization;
using Dledger.Primitives;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Dledger.Frontend.Calls;

/// <summary>One call of a client: who calls, until when an answer is of use, and whether another node passed it
/// on.</summary>
/// <remarks>Owned by the call. Reads what it needs from the request's fields, because a list of all metadata is made anew for each
/// call.</remarks>
internal sealed class ClientCall
{
    /// <summary>Deadlines beyond this are no deadlines: clients send up to sixty years for telemetry.</summary>
    private static readonly TimeSpan DeadlineHorizon = TimeSpan.FromHours(1);

    /// <summary>Longer client ids are refused; the official ones stay below 100.</summary>
    private const int ClientIdLengthMax = 256;

    private readonly ServerCallContext _context;
    private readonly IHeaderDictionary _fields;
    private readonly TimeProvider _time;
    private readonly DateTime _deadline;

    public ClientCall(ServerCallContext context, TimeProvider time)
        : this(context, context.GetHttpContext().Request.Headers, time)
    {
    }

    /// <summary>A call whose header fields are not those of an HTTP request.</summary>
    internal ClientCall(ServerCallContext context, IHeaderDictionary fields, TimeProvider time)
    {
        _context = context;
        _fields = fields;
        _time = time;
        _deadline = context.Deadline;
        CancellationToken = context.CancellationToken;
        ClientId = Find(ClientHeaders.ClientId) ?? "";
        Namespace = Find(ClientHeaders.Namespace) ?? "";
        Language = Find(ClientHeaders.Language) ?? "";
        ForwardedBy = Find(ClientHeaders.Forwarded) is { } node ? ReadNode(node) : null;
    }

    /// <summary>Opaque name of the client; empty when it gave none.</summary>
    public string ClientId { get; }

    /// <summary>Namespace for resources that name none themselves; usually empty.</summary>
    public string Namespace { get; }

    /// <summary>Language of the client library as it says; any text.</summary>
    public string Language { get; }

    /// <summary>The node that passed the call on; null when the client called this node.</summary>
    public NodeId? ForwardedBy { get; }

    /// <summary>All metadata. A copy, made when it is asked for.</summary>
    public Metadata Headers => _context.RequestHeaders;

    /// <summary>The client has gone or its deadline has passed.</summary>
    public CancellationToken CancellationToken { get; }

    /// <summary>Whether the client named itself, in sane length.</summary>
    public bool HasClientId => !string.IsNullOrWhiteSpace(ClientId) && ClientId.Length <= ClientIdLengthMax;

    /// <summary>Time until the deadline, zero when it has passed, null when there is none to speak of.</summary>
    public TimeSpan? Remaining
    {
        get
        {
            if (_deadline == DateTime.MaxValue)
            {
                return null;
            }

            var remaining = _deadline - _time.GetUtcNow().UtcDateTime;
            return remaining > DeadlineHorizon ? null : remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
        }
    }

    /// <summary>The value of a header, the last one where it came several times; null without.</summary>
    public string? Find(string header)
    {
        var values = _fields[header];
        return values.Count == 0 ? null : values[^1] ?? "";
    }

    /// <summary>Tells the client where the leader is, who answered the call.</summary>
    public void TellLeader(string address)
    {
        // Once, whatever became of earlier tries; the last one counts.
        var trailers = _context.ResponseTrailers;
        for (var index = trailers.Count - 1; index >= 0; index--)
        {
            if (trailers[index].Key == ClientHeaders.Leader)
            {
                trailers.RemoveAt(index);
            }
        }

        trailers.Add(ClientHeaders.Leader, address);
    }

    private static NodeId ReadNode(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new NodeId(number)
            : NodeId.None;
}
