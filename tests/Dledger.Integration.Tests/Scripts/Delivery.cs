namespace Dledger.Integration.Tests.Scripts;

/// <summary>A message as the official consumer shows it, with the queue id that it was sent but does not show.</summary>
internal sealed record Delivery(
    string MessageId,
    string Topic,
    int QueueId,
    long Offset,
    int Attempt,
    string? Tag,
    IReadOnlyList<string> Keys,
    IReadOnlyDictionary<string, string> Properties,
    int BodyEncoding,
    string Body,
    bool Corrupted,
    string ReceiptHandle,
    int Priority = 0,
    string? LiteTopic = null);
