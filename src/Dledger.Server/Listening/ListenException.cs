namespace Dledger.Server.Listening;

/// <summary>The client port cannot be opened; the message says why and what to do.</summary>
public sealed class ListenException(string message, Exception? innerException = null)
    : Exception(message, innerException);
