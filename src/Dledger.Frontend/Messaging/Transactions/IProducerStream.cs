using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Transactions;

/// <summary>The telemetry stream of a producer, as those see it who have something to tell it.</summary>
internal interface IProducerStream
{
    string ClientId { get; }

    /// <summary>The namespace of its client; may be empty.</summary>
    string Namespace { get; }

    /// <summary>Never blocks; false when too much waits already or the stream has ended.</summary>
    bool TrySend(Wire.TelemetryCommand command);
}
