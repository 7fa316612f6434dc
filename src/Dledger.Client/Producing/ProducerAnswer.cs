using Apache.Rocketmq.V2;
using Dledger.Client.Errors;

namespace Dledger.Client.Producing;

/// <summary>Reads the answer to a send.</summary>
internal static class ProducerAnswer
{
    /// <summary>Null when every message is stored.</summary>
    public static DledgerException? Judge(SendMessageResponse response, string operation, int count) =>
        ResponseStatus.Judge(response.Status, operation)
        ?? response.Entries.Select(entry => ResponseStatus.Judge(entry.Status, operation)).FirstOrDefault(f => f is not null)
        ?? (response.Entries.Count == count
            ? null
            : new ServerFaultException(
                $"{operation}: {response.Entries.Count} answers for {count} messages.", "Look into the log of the node."));

    public static IReadOnlyList<SendReceipt> Read(SendMessageResponse response) =>
        [.. response.Entries.Select(entry => new SendReceipt(entry.MessageId, entry.Offset)
        {
            RecallHandle = entry.RecallHandle.Length == 0 ? null : entry.RecallHandle,
        })];
}
