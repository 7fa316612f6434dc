namespace Dledger.Benchmarks.Servers;

/// <summary>Servers that are compared are not there, did not start, or have ended: a row of the report, not the end of the run.</summary>
internal sealed class ServerException(string message, Exception? inner = null) : Exception(message, inner);
