using Dledger.Storage.Records;

namespace Dledger.Broker.Proposals;

/// <summary>Records without key and properties: their body is a command.</summary>
internal static class ControlRecord
{
    public static byte[] Encode(RecordKind kind, ReadOnlySpan<byte> body) =>
        RecordEncoder.Encode(new RecordFields { Kind = kind }, [], [], body);
}
