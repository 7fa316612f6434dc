using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Dledger.Server.Options;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace Dledger.Server.Listening;

/// <summary>Connection middleware that serves plaintext and TLS on one port.</summary>
/// <remarks>
/// A TLS connection begins with a handshake record, whose first byte is 0x16; HTTP/2 begins with the letter P. The byte
/// is looked at and left in place. With TLS, ALPN offers <c>h2</c> alone. Safe for any thread.
/// </remarks>
internal sealed class TlsSniffer(X509Certificate2? certificate, TlsMode mode, TimeProvider time, ILogger logger)
{
    private const byte HandshakeRecord = 0x16;

    /// <summary>Who has not said anything by then is no client; clients send at once.</summary>
    private static readonly TimeSpan FirstByteTimeMax = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan HandshakeTimeMax = TimeSpan.FromSeconds(10);

    /// <summary>Wraps the connection where needed and hands it on.</summary>
    public async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (await FirstByteAsync(connection) is not { } first)
        {
            return;
        }

        if (first != HandshakeRecord)
        {
            if (mode == TlsMode.Required)
            {
                ServerEvents.PlaintextRefused(logger, connection.ConnectionId);
                return;
            }

            await next(connection);
            return;
        }

        if (certificate is null)
        {
            ServerEvents.TlsRefused(logger, connection.ConnectionId);
            return;
        }

        await ServeTlsAsync(connection, next, certificate);
    }

    private async ValueTask<byte?> FirstByteAsync(ConnectionContext connection)
    {
        using var limit = new CancellationTokenSource(FirstByteTimeMax, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, connection.ConnectionClosed);
        try
        {
            var read = await connection.Transport.Input.ReadAsync(either.Token);
            byte? first = read.Buffer.IsEmpty ? null : read.Buffer.FirstSpan[0];

            // Consumed nothing, examined nothing: the next reader finds the same bytes at once.
            connection.Transport.Input.AdvanceTo(read.Buffer.Start);
            return first;
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException
            or ConnectionAbortedException)
        {
            return null;
        }
    }

    private async Task ServeTlsAsync(ConnectionContext connection, ConnectionDelegate next, X509Certificate2 identity)
    {
        var plain = connection.Transport;
        await using var stream = new SslStream(new DuplexPipeStream(plain), leaveInnerStreamOpen: true);
        try
        {
            using var limit = new CancellationTokenSource(HandshakeTimeMax, time);
            var options = new SslServerAuthenticationOptions
            {
                ServerCertificate = identity,
                ApplicationProtocols = [SslApplicationProtocol.Http2],
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            };
            await stream.AuthenticateAsServerAsync(options, limit.Token);
        }
        catch (Exception exception) when (exception is AuthenticationException or OperationCanceledException
            or IOException or ConnectionAbortedException)
        {
            ServerEvents.HandshakeFailed(logger, connection.ConnectionId, exception.Message);
            return;
        }

        var features = new TlsFeatures(stream);
        connection.Features.Set<ITlsHandshakeFeature>(features);
        connection.Features.Set<ITlsConnectionFeature>(features);
        connection.Features.Set<ITlsApplicationProtocolFeature>(features);
        var encrypted = new SslDuplexPipe(stream);
        connection.Transport = encrypted;
        try
        {
            await next(connection);
        }
        finally
        {
            await encrypted.CompleteAsync();
            connection.Transport = plain;
        }
    }
}
