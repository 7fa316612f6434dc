namespace Dledger.Bench.Running;

/// <summary>Messages were acknowledged when they were sent, and had not come long after the end.</summary>
internal sealed class MessageMissingException() : Exception("The message was sent and did not come until long after the end.");
