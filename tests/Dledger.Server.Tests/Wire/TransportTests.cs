using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Apache.Rocketmq.V2;
using Dledger.Server.Options;

namespace Dledger.Server.Tests.Wire;

public sealed class TransportTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private static readonly (string Name, string Value) ClientId = ("x-mq-client-id", "c");

    [Fact]
    public async Task Plaintext_and_tls_are_served_on_one_port_and_the_certificate_names_the_host()
    {
        var named = new List<bool>();
        var encrypted = await HeartbeatAsync(shared.Node, "https", certificate => named.AddRange(
            [certificate.MatchesHostname("127.0.0.1"), certificate.MatchesHostname("localhost")]));
        var plain = await HeartbeatAsync(shared.Node, "http");

        Assert.Equal(Code.Ok, encrypted.Status.Code);
        Assert.Equal(Code.Ok, plain.Status.Code);
        Assert.Equal([true, true], named);
    }

    [Fact]
    public async Task A_self_made_certificate_names_the_advertised_host_and_outlives_a_restart()
    {
        var directory = Path.Combine(Path.GetTempPath(), $"dledger-tls-{Guid.NewGuid():N}");
        var thumbprints = new List<string>();
        try
        {
            for (var start = 0; start < 2; start++)
            {
                await using var node = await TestNode.StartAsync(
                    options => options with { Client = options.Client with { AdvertisedHost = "broker.example" } },
                    directory: directory);
                await HeartbeatAsync(node, "https", certificate =>
                {
                    Assert.True(certificate.MatchesHostname("broker.example"));
                    thumbprints.Add(certificate.Thumbprint);
                });
            }

            Assert.Single(thumbprints.Distinct());
            var key = new FileInfo(Path.Combine(directory, "tls", "server.key"));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, key.UnixFileMode);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Theory]
    [InlineData(TlsMode.Off, "https")]
    [InlineData(TlsMode.Required, "http")]
    public async Task A_connection_of_the_kind_that_is_switched_off_is_closed(TlsMode mode, string scheme)
    {
        await using var node = await TestNode.StartAsync(
            options => options with { Client = options.Client with { Tls = mode } });

        var refused = await Assert.ThrowsAnyAsync<Exception>(() => HeartbeatAsync(node, scheme));
        var served = await HeartbeatAsync(node, scheme == "http" ? "https" : "http");

        Assert.True(refused is HttpRequestException or IOException or AuthenticationException, refused.ToString());
        Assert.Equal(Code.Ok, served.Status.Code);
    }

    [Fact]
    public async Task A_host_name_that_is_none_is_served()
    {
        using var call = new RawCall(shared.Client.Port, "Heartbeat", ClientId, ("Host", "IPAuthority"));
        await call.WriteAsync(new HeartbeatRequest());
        call.Complete();

        Assert.Equal(Code.Ok, (await call.ReadAsync(HeartbeatResponse.Parser)).Status.Code);
    }

    [Fact]
    public async Task The_empty_heartbeat_without_headers_is_answered()
    {
        using var call = new RawCall(shared.Client.Port, "Heartbeat");
        await call.WriteAsync(new HeartbeatRequest());
        call.Complete();

        Assert.Equal(Code.ClientIdRequired, (await call.ReadAsync(HeartbeatResponse.Parser)).Status.Code);
    }

    [Fact]
    public async Task Credentials_that_nobody_asked_for_are_ignored()
    {
        using var call = new RawCall(
            shared.Client.Port,
            "Heartbeat",
            ClientId,
            ("authorization", "MQv2-HMAC-SHA1 Credential=, SignedHeaders=x-mq-date-time, Signature="));
        await call.WriteAsync(new HeartbeatRequest());
        call.Complete();

        Assert.Equal(Code.Ok, (await call.ReadAsync(HeartbeatResponse.Parser)).Status.Code);
    }

    [Fact]
    public async Task Every_method_that_is_there_asks_for_the_client_id()
    {
        var client = shared.Client.Messaging;

        var codes = new[]
        {
            (await client.QueryRouteAsync(new QueryRouteRequest())).Status.Code,
            (await client.HeartbeatAsync(new HeartbeatRequest())).Status.Code,
            (await client.SendMessageAsync(new SendMessageRequest())).Status.Code,
            (await client.QueryAssignmentAsync(new QueryAssignmentRequest())).Status.Code,
            (await client.AckMessageAsync(new AckMessageRequest())).Status.Code,
            (await client.ChangeInvisibleDurationAsync(new ChangeInvisibleDurationRequest())).Status.Code,
            (await client.ForwardMessageToDeadLetterQueueAsync(new())).Status.Code,
            (await client.NotifyClientTerminationAsync(new NotifyClientTerminationRequest())).Status.Code,
            (await client.SyncLiteSubscriptionAsync(new SyncLiteSubscriptionRequest())).Status.Code,
        };
        using var receive = client.ReceiveMessage(new ReceiveMessageRequest());
        Assert.True(await receive.ResponseStream.MoveNext(CancellationToken.None));

        Assert.All(codes, code => Assert.Equal(Code.ClientIdRequired, code));
        Assert.Equal(Code.ClientIdRequired, receive.ResponseStream.Current.Status.Code);
    }

    [Fact]
    public async Task A_client_without_telemetry_says_hello_and_goodbye()
    {
        var options = shared.Client.Options();

        var hello = await shared.Client.Messaging.HeartbeatAsync(
            new HeartbeatRequest { Group = TestClient.Resource("g"), ClientType = ClientType.PushConsumer }, options);
        var strange = await shared.Client.Messaging.HeartbeatAsync(
            new HeartbeatRequest { Group = TestClient.Resource("a b"), ClientType = ClientType.PushConsumer }, options);
        var goodbye = await shared.Client.Messaging.NotifyClientTerminationAsync(new(), options);

        Assert.Equal(Code.Ok, hello.Status.Code);
        Assert.Equal(Code.IllegalConsumerGroup, strange.Status.Code);
        Assert.Equal(Code.Ok, goodbye.Status.Code);
    }

    private static async Task<HeartbeatResponse> HeartbeatAsync(
        TestNode node, string scheme, Action<X509Certificate2>? look = null)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    look?.Invoke((X509Certificate2)certificate!);
                    return true;
                },
            },
        };
        using var call = new RawCall(
            handler, new Uri($"{scheme}://127.0.0.1:{node.Server.ClientPort}"), "Heartbeat", ClientId);
        await call.WriteOrFailAsync(new HeartbeatRequest());
        call.Complete();
        return await call.ReadAsync(HeartbeatResponse.Parser);
    }
}
