using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Conformance.Tests.Wire;
using Grpc.Core;

namespace Dledger.Conformance.Tests.Items;

public sealed class TransportItems(SharedNode shared) : IClassFixture<SharedNode>
{
    private const byte PingFrame = 6;
    private const byte GoAwayFrame = 7;

    private static readonly (string Name, string Value) ClientId = ("x-mq-client-id", "c");

    private TestClient Client => shared.Client;

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task Item_01_one_port_serves_plaintext_and_tls(string scheme)
    {
        var response = await BeatAsync(scheme, _ => { });

        Assert.Equal(Code.Ok, response.Status.Code);
    }

    [Fact]
    public async Task Item_02_pings_of_an_idle_connection_are_acknowledged()
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync("127.0.0.1", shared.Node.ClientPort);
        await using var stream = connection.GetStream();
        await stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
        await stream.WriteAsync(new byte[] { 0, 0, 0, 4, 0, 0, 0, 0, 0 });
        using var pause = new PeriodicTimer(Letter.Of(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(1)));

        for (byte count = 1; count <= 3; count++)
        {
            await pause.WaitForNextTickAsync();
            byte[] payload = [count, 0, 0, 0, 0, 0, 0, 0];
            await stream.WriteAsync((byte[])[0, 0, 8, PingFrame, 0, 0, 0, 0, 0, .. payload]);

            Assert.Equal(payload, await ReadPingAcknowledgementAsync(stream).WaitAsync(TimeSpan.FromSeconds(15)));
        }
    }

    [Fact]
    public async Task Item_03_a_call_without_a_client_id_is_refused_in_its_status()
    {
        var client = Client.Messaging;

        Code[] codes =
        [
            (await client.QueryRouteAsync(new QueryRouteRequest())).Status.Code,
            (await client.HeartbeatAsync(new HeartbeatRequest())).Status.Code,
            (await client.SendMessageAsync(new SendMessageRequest())).Status.Code,
            (await client.QueryAssignmentAsync(new QueryAssignmentRequest())).Status.Code,
            (await client.AckMessageAsync(new AckMessageRequest())).Status.Code,
            (await client.ChangeInvisibleDurationAsync(new ChangeInvisibleDurationRequest())).Status.Code,
            (await client.ForwardMessageToDeadLetterQueueAsync(new())).Status.Code,
            (await client.NotifyClientTerminationAsync(new NotifyClientTerminationRequest())).Status.Code,
            (await client.SyncLiteSubscriptionAsync(new SyncLiteSubscriptionRequest())).Status.Code,
        ];
        using var receive = client.ReceiveMessage(new ReceiveMessageRequest());
        Assert.True(await receive.ResponseStream.MoveNext(CancellationToken.None));
        using var telemetry = client.Telemetry();
        Assert.True(await telemetry.ResponseStream.MoveNext(CancellationToken.None));

        Assert.All(codes, code => Assert.Equal(Code.ClientIdRequired, code));
        Assert.Equal(Code.ClientIdRequired, receive.ResponseStream.Current.Status.Code);
        Assert.Equal(Code.ClientIdRequired, telemetry.ResponseStream.Current.Status.Code);
    }

    [Fact]
    public async Task Item_04_the_empty_heartbeat_without_headers_is_answered()
    {
        using var call = new RawCall(shared.Node.ClientPort, "Heartbeat");
        await call.WriteAsync(new HeartbeatRequest());
        call.Complete();

        Assert.Equal(Code.ClientIdRequired, (await call.ReadAsync(HeartbeatResponse.Parser)).Status.Code);
    }

    [Theory]
    [InlineData("MQv2-HMAC-SHA1 Credential=, SignedHeaders=x-mq-date-time, Signature=")]
    [InlineData("MQv2-HMAC-SHA1 Credential=//Rocketmq, SignedHeaders=x-mq-date-time, Signature=00")]
    public async Task Item_06_credentials_that_nobody_asked_for_are_ignored(string authorization)
    {
        using var call = new RawCall(shared.Node.ClientPort, "Heartbeat", ClientId, ("authorization", authorization));
        await call.WriteAsync(new HeartbeatRequest());
        call.Complete();

        Assert.Equal(Code.Ok, (await call.ReadAsync(HeartbeatResponse.Parser)).Status.Code);
    }

    [Theory]
    [InlineData("31535999M")]
    [InlineData("99999999H")]
    public async Task Item_08_a_deadline_beyond_all_reason_keeps_the_stream_open(string timeout)
    {
        var topic = await shared.NewTopicAsync();
        using var stream = new TelemetryStream(Client);
        using var raw = new RawCall(shared.Node.ClientPort, "Telemetry", ("grpc-timeout", timeout), ClientId);

        await raw.WriteAsync(new TelemetryCommand { Settings = stream.Producer(topic) });
        var answer = await raw.ReadAsync(TelemetryCommand.Parser);
        var repeated = await raw.ReadAsync(TelemetryCommand.Parser).WaitAsync(TimeSpan.FromSeconds(15));

        Assert.Equal(Code.Ok, answer.Status.Code);
        Assert.Equal(Code.Ok, repeated.Status.Code);
    }

    [Fact]
    public async Task Item_08a_an_authority_that_names_no_host_is_served()
    {
        using var call = new RawCall(shared.Node.ClientPort, "Heartbeat", ClientId, ("Host", "IPAuthority"));
        await call.WriteAsync(new HeartbeatRequest());
        call.Complete();

        Assert.Equal(Code.Ok, (await call.ReadAsync(HeartbeatResponse.Parser)).Status.Code);
    }

    [Fact]
    public async Task Item_08b_the_certificate_names_the_advertised_address_and_no_foreign_one()
    {
        var named = new List<bool>();

        await BeatAsync("https", certificate => named.AddRange(
            [certificate.MatchesHostname("127.0.0.1"), certificate.MatchesHostname("broker.example")]));

        Assert.Equal([true, false], named);
    }

    [Fact]
    public async Task Item_08c_200_waiting_polls_do_not_delay_a_call_of_the_same_connection()
    {
        var (topic, group) = await shared.PrepareAsync(messages: 0);
        using var cancel = new CancellationTokenSource();
        var polls = Enumerable.Range(0, 200)
            .Select(_ => Client.Messaging.ReceiveMessage(
                Client.ReceiveRequest(topic, group, r => r.LongPollingTimeout = new() { Seconds = 20 }),
                Client.Options(TimeSpan.FromMinutes(1), cancel.Token)))
            .Select(call => call.ResponseStream.MoveNext(CancellationToken.None))
            .ToArray();

        var answer = await Client.Messaging.HeartbeatAsync(
            new HeartbeatRequest { ClientType = ClientType.Producer }, Client.Options(TimeSpan.FromSeconds(10)));
        var answeredBefore = polls.Count(poll => poll.IsCompleted);
        await cancel.CancelAsync();
        await Task.WhenAll(polls.Select(poll => Assert.ThrowsAsync<RpcException>(() => poll)));

        Assert.Equal(Code.Ok, answer.Status.Code);
        Assert.Equal(0, answeredBefore);
    }

    private async Task<HeartbeatResponse> BeatAsync(string scheme, Action<X509Certificate2> look)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    look((X509Certificate2)certificate!);
                    return true;
                },
            },
        };
        using var call = new RawCall(
            handler, new Uri($"{scheme}://127.0.0.1:{shared.Node.ClientPort}"), "Heartbeat", ClientId);
        await call.WriteOrFailAsync(new HeartbeatRequest());
        call.Complete();
        return await call.ReadAsync(HeartbeatResponse.Parser);
    }

    /// <summary>Reads frames until the acknowledgement of a ping; its payload. Pings of the server are left alone.</summary>
    private static async Task<byte[]> ReadPingAcknowledgementAsync(NetworkStream stream)
    {
        var header = new byte[9];
        while (true)
        {
            await stream.ReadExactlyAsync(header);
            var payload = new byte[(header[0] << 16) | (header[1] << 8) | header[2]];
            await stream.ReadExactlyAsync(payload);
            Assert.NotEqual(GoAwayFrame, header[3]);
            if (header[3] == PingFrame && (header[4] & 1) == 1)
            {
                return payload;
            }
        }
    }
}

/// <summary>In a class of its own, because it takes long.</summary>
public sealed class SilentStreamItem(SharedNode shared) : IClassFixture<SharedNode>
{
    [Fact]
    public async Task Item_08d_a_silent_stream_stays_open()
    {
        var topic = await shared.NewTopicAsync();
        using var client = shared.NewClient();
        using var stream = new TelemetryStream(client);
        await stream.SendAsync(stream.Producer(topic));
        await stream.NextAsync();
        using var silence = new PeriodicTimer(Letter.Of(TimeSpan.FromMinutes(6), TimeSpan.FromSeconds(70)));

        await silence.WaitForNextTickAsync();
        await stream.SendAsync(stream.Producer("after-the-silence"));
        var answer = await stream.NextAsync(
            command => command.Settings?.Publishing?.Topics is [{ Name: "after-the-silence" }]);

        Assert.Equal(Code.Ok, answer.Status.Code);
    }
}
