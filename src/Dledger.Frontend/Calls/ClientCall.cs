using System.Globalization;
using Dledger.Primitives;
using Grpc.Core;

namespace Dledger.Frontend.Calls;

/// <summary>One call of a client: who calls, until when an answer is of use, and whether another node passed it
/// on.</summary>
/// <remarks>Owned by the call. Reads the metadata once.</remarks>
internal sealed class ClientCall
{
    /// <summary>Deadlines beyond this are no deadlines: clients send up to sixty years for telemetry.</summary>
    private static readonly TimeSpan DeadlineHorizon = TimeSpan.FromHours(1);

    /// <summary>Longer client ids are refused; the official ones stay below 100.</summary>
    private const int ClientIdLengthMax = 256;

    private readonly TimeProvider _time;
    private readonly DateTime _deadline;

    public ClientCall(ServerCallContext context, TimeProvider time)
    {
        _time = time;
        _deadline = context.Deadline;
        Headers = context.RequestHeaders;
        CancellationToken = context.CancellationToken;
        foreach (var header in Headers)
        {
            switch (header.Key)
            {
                case ClientHeaders.ClientId:
                    ClientId = header.Value;
                    break;
                case ClientHeaders.Namespace:
                    Namespace = header.Value;
                    break;
                case ClientHeaders.Language:
                    Language = header.Value;
                    break;
                case ClientHeaders.Forwarded:
                    ForwardedBy = ReadNode(header.Value);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>Opaque name of the client; empty when it gave none.</summary>
    public string ClientId { get; } = "";

    /// <summary>Namespace for resources that name none themselves; usually empty.</summary>
    public string Namespace { get; } = "";

    /// <summary>Language of the client library as it says; any text.</summary>
    public string Language { get; } = "";

    /// <summary>The node that passed the call on; null when the client called this node.</summary>
    public NodeId? ForwardedBy { get; }

    public Metadata Headers { get; }

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

    private static NodeId ReadNode(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new NodeId(number)
            : NodeId.None;
}
