namespace Dledger.GrpcCompat.Wire;

/// <summary>The other side reset the stream or the connection while a message was awaited; no fault of this side.</summary>
internal sealed class PeerGoneException(IOException cause) : IOException(cause.Message, cause);
