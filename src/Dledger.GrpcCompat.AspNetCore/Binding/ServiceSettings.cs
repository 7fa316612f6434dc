using System.IO.Compression;
using Dledger.GrpcCompat.Wire;
using Grpc.AspNetCore.Server;

namespace Dledger.GrpcCompat.AspNetCore.Binding;

/// <summary>The options of one service after the defaults are filled in.</summary>
internal sealed record ServiceSettings(
    int? ReceiveBytesMax, int? SendBytesMax, bool DetailedErrors, string? ResponseEncoding, CompressionLevel GzipLevel)
{
    /// <summary>An encoding other than gzip or identity, or a limit below zero, throws.</summary>
    public static ServiceSettings Resolve(GrpcServiceOptions shared, GrpcServiceOptions service)
    {
        var encoding = service.ResponseCompressionAlgorithm ?? shared.ResponseCompressionAlgorithm;
        if (encoding is not (null or HeaderNames.Gzip or HeaderNames.Identity))
        {
            throw new InvalidOperationException(
                $"ResponseCompressionAlgorithm is \"{encoding}\"; known are \"gzip\" and \"identity\".");
        }

        return new ServiceSettings(
            CheckLimit(ReceiveMax(shared, service), nameof(GrpcServiceOptions.MaxReceiveMessageSize)),
            CheckLimit(
                service.MaxSendMessageSize ?? shared.MaxSendMessageSize, nameof(GrpcServiceOptions.MaxSendMessageSize)),
            service.EnableDetailedErrors ?? shared.EnableDetailedErrors ?? false,
            encoding,
            service.ResponseCompressionLevel ?? shared.ResponseCompressionLevel ?? CompressionLevel.Fastest);
    }

    private static int? ReceiveMax(GrpcServiceOptions shared, GrpcServiceOptions service)
    {
        if (service.IsMaxReceiveMessageSizeSet)
        {
            return service.MaxReceiveMessageSize;
        }

        return shared.IsMaxReceiveMessageSizeSet ? shared.MaxReceiveMessageSize : MessageLimits.ReceiveBytesDefault;
    }

    private static int? CheckLimit(int? limit, string name)
    {
        return limit < 0 ? throw new InvalidOperationException($"{name} is {limit}; it must not be negative.") : limit;
    }
}
