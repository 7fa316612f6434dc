namespace Dledger.Broker.Messages;

/// <summary>How the producer encoded a body. The broker stores the bytes as they are. Persisted numbers.</summary>
public enum BodyEncoding : byte
{
    Identity = 1,
    Gzip = 2,
}
