namespace Dledger.Frontend.Calls;

/// <summary>Metadata keys of the protocol and of forwarding. Lower case, as HTTP/2 wants them.</summary>
internal static class ClientHeaders
{
    public const string ClientId = "x-mq-client-id";
    public const string Namespace = "x-mq-namespace";
    public const string Language = "x-mq-language";

    /// <summary>Begins every key that clients of the protocol set; such keys travel on when a call is
    /// forwarded.</summary>
    public const string Prefix = "x-mq-";

    /// <summary>Credentials; travel on when a call is forwarded.</summary>
    public const string Authorization = "authorization";

    /// <summary>Which producer numbers the messages of a send; with <see cref="ProducerEpoch"/> and <see cref="Sequence"/>.</summary>
    public const string ProducerId = "x-dledger-producer-id";

    /// <summary>The epoch that the producer was given.</summary>
    public const string ProducerEpoch = "x-dledger-producer-epoch";

    /// <summary>Number of the first message of a send.</summary>
    public const string Sequence = "x-dledger-sequence";

    /// <summary>Whether a header of the caller goes on to the leader.</summary>
    public static bool Travels(string key) =>
        key.StartsWith(Prefix, StringComparison.Ordinal)
        || key is Authorization or ProducerId or ProducerEpoch or Sequence;

    /// <summary>Trailer of a call that this node passed on: host and port of the leader, which saves a client the detour.</summary>
    public const string Leader = "x-dledger-leader";

    /// <summary>Number of the node that passed the call on. Such a call is never passed on again.</summary>
    public const string Forwarded = "x-dledger-forwarded";

    /// <summary>Trailer of a refused forwarded call: the node does not lead and has done nothing. The value is the
    /// number of the leader it knows, 0 for none.</summary>
    public const string NotLeader = "x-dledger-not-leader";
}
