namespace Dledger.Integration.Tests.Scripts;

/// <summary>The receipt of the official producer.</summary>
internal sealed record Sent(string MessageId, long Offset);
