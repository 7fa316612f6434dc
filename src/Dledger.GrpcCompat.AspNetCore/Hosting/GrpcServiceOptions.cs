using System.IO.Compression;

namespace Grpc.AspNetCore.Server;

/// <summary>Options of all gRPC services of an application.</summary>
public class GrpcServiceOptions
{
    private int? _maxReceiveMessageSize;

    /// <summary>Largest message taken from a client, in bytes; default 4 MiB; null: no limit.</summary>
    public int? MaxReceiveMessageSize
    {
        get => _maxReceiveMessageSize;
        set
        {
            _maxReceiveMessageSize = value;
            IsMaxReceiveMessageSizeSet = true;
        }
    }

    /// <summary>Largest message sent to a client, in bytes; default null: no limit.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>Whether a client sees type and text of a handler's unexpected exception; default false.</summary>
    public bool? EnableDetailedErrors { get; set; }

    /// <summary>The encoding of responses for clients that accept it: <c>gzip</c>; default null: plain.</summary>
    public string? ResponseCompressionAlgorithm { get; set; }

    /// <summary>Default <see cref="CompressionLevel.Fastest"/>.</summary>
    public CompressionLevel? ResponseCompressionLevel { get; set; }

    /// <summary>
    /// Default false: a request that names no mapped service gets the status UNIMPLEMENTED. True: it is left to the
    /// rest of the application.
    /// </summary>
    public bool? IgnoreUnknownServices { get; set; }

    internal bool IsMaxReceiveMessageSizeSet { get; private set; }
}

/// <summary>Options of one service; what is not set comes from <see cref="GrpcServiceOptions"/>.</summary>
public class GrpcServiceOptions<TService> : GrpcServiceOptions
    where TService : class
{
}
