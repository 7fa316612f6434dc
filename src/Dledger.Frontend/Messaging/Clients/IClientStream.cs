using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Clients;

/// <summary>The telemetry stream of a client, as those see it who want to know or ask something.</summary>
internal interface IClientStream
{
    string ClientId { get; }

    /// <summary>The namespace of its client; may be empty.</summary>
    string Namespace { get; }

    /// <summary>IP address of the client; empty when it is not known.</summary>
    string Address { get; }

    /// <summary>Never blocks; false when too much waits already or the stream has ended.</summary>
    bool TrySend(Wire.TelemetryCommand command);
}
