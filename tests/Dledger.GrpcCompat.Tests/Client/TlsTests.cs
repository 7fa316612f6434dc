using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dledger.GrpcCompat.Tests.Interop;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Testing;
using Microsoft.AspNetCore.Hosting;

namespace Dledger.GrpcCompat.Tests.Client;

/// <summary>Calls over TLS with a certificate made for the test.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly X509Certificate2 _certificate = CreateCertificate();

    public void Dispose()
    {
        _certificate.Dispose();
    }

    [Fact]
    public async Task Calls_of_every_kind_work_over_tls()
    {
        await using var server = await StartAsync();
        using var channel = Channel(
            server, (_, certificate, _, _) => certificate!.GetCertHashString() == _certificate.GetCertHashString());
        var client = new TestService.TestServiceClient(channel);

        Assert.Equal(10, (await client.UnaryCallAsync(new SimpleRequest { ResponseSize = 10 })).Payload.Body.Length);
        using var duplex = client.FullDuplexCall();
        await duplex.RequestStream.WriteAsync(
            new StreamingOutputCallRequest { ResponseParameters = { new ResponseParameters { Size = 3 } } });
        Assert.True(await duplex.ResponseStream.MoveNext(CancellationToken.None));
        await duplex.RequestStream.CompleteAsync();
        Assert.False(await duplex.ResponseStream.MoveNext(CancellationToken.None));
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted_makes_the_server_unavailable()
    {
        await using var server = await StartAsync();
        using var channel = Channel(server, (_, _, _, _) => false);

        var fault = await Assert.ThrowsAsync<RpcException>(
            async () => await new TestService.TestServiceClient(channel).EmptyCallAsync(new Empty()));

        Assert.Equal(StatusCode.Unavailable, fault.StatusCode);
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static GrpcChannel Channel(InteropServer server, RemoteCertificateValidationCallback validate)
    {
        return GrpcChannel.ForAddress(
            server.Address,
            new GrpcChannelOptions
            {
                DisposeHttpClient = true,
                HttpHandler = new SocketsHttpHandler
                {
                    SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = validate },
                },
            });
    }

    private Task<InteropServer> StartAsync()
    {
        return InteropServer.StartAsync<InteropService>(listen: endpoint => endpoint.UseHttps(_certificate));
    }
}
