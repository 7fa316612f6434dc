namespace Dledger.Integration.Tests.Scripts;

/// <summary>The official client threw; the message is what it said.</summary>
internal sealed class SdkException(string message) : Exception(message);
