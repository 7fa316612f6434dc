using System.Net;
using System.Net.Sockets;
using Apache.Rocketmq.V2;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Client.Producing;
using Dledger.Client.Tests.Nodes;
using Grpc.Core;

namespace Dledger.Client.Tests;

public sealed class ProducerTests
{
    private static readonly OutgoingMessage Hello = new("greetings", "hello"u8.ToArray());

    [Fact]
    public async Task A_send_carries_all_that_the_message_has_and_the_headers_of_the_protocol()
    {
        await using var node = await ScriptedNode.StartAsync();
        await using var channel = Channel(node.Address);

        var receipt = await new Producer(channel).SendAsync(Hello with
        {
            Tag = "t",
            Keys = ["k"],
            Properties = new Dictionary<string, string> { ["p"] = "v" },
            IsGzip = true,
        });

        var message = Assert.Single(Assert.IsType<SendMessageRequest>(Assert.Single(node.Messaging.Requests)).Messages);
        Assert.Equal(receipt.MessageId, message.SystemProperties.MessageId);
        Assert.Equal("greetings", message.Topic.Name);
        Assert.Equal("hello", message.Body.ToStringUtf8());
        Assert.Equal("t", message.SystemProperties.Tag);
        Assert.Equal(["k"], message.SystemProperties.Keys);
        Assert.Equal("v", message.UserProperties["p"]);
        Assert.Equal(Encoding.Gzip, message.SystemProperties.BodyEncoding);
        Assert.Equal(MessageType.Normal, message.SystemProperties.MessageType);
        Assert.NotNull(message.SystemProperties.BornTimestamp);
        Assert.Equal(channel.Options.ClientId, Assert.Single(node.Messaging.Headers).GetValue("x-mq-client-id"));
    }

    [Fact]
    public async Task Message_ids_have_the_form_of_the_protocol_and_differ()
    {
        await using var node = await ScriptedNode.StartAsync();
        await using var channel = Channel(node.Address);
        var producer = new Producer(channel);

        var first = await producer.SendAsync(Hello);
        var second = await producer.SendAsync(Hello);

        Assert.Matches("^01[0-9A-F]{32}$", first.MessageId);
        Assert.NotEqual(first.MessageId, second.MessageId);
    }

    [Fact]
    public async Task A_batch_is_one_request_and_gives_one_receipt_each()
    {
        await using var node = await ScriptedNode.StartAsync();
        await using var channel = Channel(node.Address);

        var receipts = await new Producer(channel).SendAsync([Hello, Hello, Hello]);

        Assert.Single(node.Messaging.Requests);
        Assert.Equal([0L, 1, 2], receipts.Select(receipt => receipt.Offset));
    }

    [Fact]
    public async Task A_dead_node_is_left_for_the_next_address()
    {
        await using var node = await ScriptedNode.StartAsync();
        await using var channel = Channel(await ScriptedNode.DeadAddressAsync(), node.Address);
        var producer = new Producer(channel);

        await producer.SendAsync(Hello);
        await producer.SendAsync(Hello);

        Assert.Equal(2, node.Messaging.Requests.Count);
    }

    [Fact]
    public async Task A_send_that_no_node_takes_says_which_address_was_not_reachable()
    {
        var address = await ScriptedNode.DeadAddressAsync();
        await using var channel = Channel(address);

        var failure = await Assert.ThrowsAsync<ClusterUnavailableException>(() => new Producer(channel).SendAsync(Hello));

        Assert.True(failure.IsTransient);
        Assert.Contains(address, failure.Message);
        Assert.Contains("greetings", failure.Message);
    }

    [Fact]
    public async Task A_busy_answer_is_tried_again_with_the_same_message_id()
    {
        await using var node = await ScriptedNode.StartAsync();
        var usual = node.Messaging.OnSend;
        node.Messaging.OnSend = request => node.Messaging.Requests.Count == 1
            ? new SendMessageResponse { Status = new Apache.Rocketmq.V2.Status { Code = Code.TooManyRequests, Message = "busy" } }
            : usual(request);
        await using var channel = new DledgerChannel(new DledgerChannelOptions { Addresses = [node.Address] });

        var receipt = await new Producer(channel).SendAsync(Hello);

        Assert.Equal(
            [receipt.MessageId, receipt.MessageId],
            node.Messaging.Requests.Cast<SendMessageRequest>().Select(request => request.Messages[0].SystemProperties.MessageId));
    }

    [Fact]
    public async Task A_refusal_with_a_hint_is_tried_again_on_the_same_node_when_the_hint_says_so()
    {
        await using var node = await ScriptedNode.StartAsync();
        await using var other = await ScriptedNode.StartAsync();
        var usual = node.Messaging.OnSend;
        node.Messaging.OnSend = request => node.Messaging.Requests.Count == 1 ? OverQuota(250) : usual(request);
        await using var channel = new DledgerChannel(new DledgerChannelOptions { Addresses = [node.Address, other.Address] });
        var watch = System.Diagnostics.Stopwatch.StartNew();

        var receipt = await new Producer(channel).SendAsync(Hello);

        Assert.True(watch.ElapsedMilliseconds >= 240, $"waited {watch.ElapsedMilliseconds} ms");
        Assert.Empty(other.Messaging.Requests);
        Assert.Equal(
            [receipt.MessageId, receipt.MessageId],
            node.Messaging.Requests.Cast<SendMessageRequest>().Select(request => request.Messages[0].SystemProperties.MessageId));
    }

    [Fact]
    public async Task A_hint_beyond_the_patience_of_the_caller_ends_the_send_at_once_and_is_told()
    {
        await using var node = await ScriptedNode.StartAsync();
        node.Messaging.OnSend = _ => OverQuota(60_000);
        await using var channel = new DledgerChannel(new DledgerChannelOptions { Addresses = [node.Address] });

        var failure = await Assert.ThrowsAsync<ClusterUnavailableException>(() => new Producer(channel).SendAsync(Hello));

        Assert.Equal(TimeSpan.FromMinutes(1), failure.RetryAfter);
        Assert.True(failure.IsTransient);
        Assert.Single(node.Messaging.Requests);
    }

    [Theory]
    [InlineData("the topic is full; retry in 250 ms", 250)]
    [InlineData("retry in 0 ms", 0)]
    [InlineData("retry in 250 ms, perhaps", null)]
    [InlineData("retry in x ms", null)]
    [InlineData("retry in -5 ms", null)]
    [InlineData("retry in 99999999999 ms", null)]
    [InlineData("busy", null)]
    [InlineData("", null)]
    public void A_hint_is_the_end_of_the_text(string text, int? milliseconds) =>
        Assert.Equal(milliseconds, RetryHint.Find(text)?.TotalMilliseconds);

    [Theory]
    [InlineData(Code.TopicNotFound, typeof(ResourceNotFoundException))]
    [InlineData(Code.IllegalTopic, typeof(RequestRefusedException))]
    [InlineData(Code.MessageBodyTooLarge, typeof(RequestRefusedException))]
    [InlineData(Code.MessagePropertiesTooLarge, typeof(RequestRefusedException))]
    [InlineData(Code.NotImplemented, typeof(RequestRefusedException))]
    [InlineData(Code.TooManyRequests, typeof(ClusterUnavailableException))]
    [InlineData(Code.HaNotAvailable, typeof(ClusterUnavailableException))]
    [InlineData(Code.ProxyTimeout, typeof(OutcomeUnknownException))]
    [InlineData(Code.SlavePersistenceTimeout, typeof(OutcomeUnknownException))]
    [InlineData(Code.InternalServerError, typeof(ServerFaultException))]
    public async Task Each_code_of_the_protocol_becomes_an_exception_that_says_what_it_means(Code code, Type expected)
    {
        await using var node = await ScriptedNode.StartAsync();
        node.Messaging.OnSend = _ => new SendMessageResponse
        {
            Status = new Apache.Rocketmq.V2.Status { Code = code, Message = "the reason" },
        };
        await using var channel = Channel(node.Address);

        var failure = await Assert.ThrowsAsync(expected, () => new Producer(channel).SendAsync(Hello));

        Assert.Contains("the reason", failure.Message);
        Assert.Contains(((int)code).ToString(), failure.Message);
    }

    [Fact]
    public async Task A_call_without_an_answer_in_time_has_an_unknown_outcome()
    {
        await using var node = await ScriptedNode.StartAsync();
        using var release = new ManualResetEventSlim();
        node.Messaging.OnSend = _ =>
        {
            release.Wait(TimeSpan.FromSeconds(30));
            return new SendMessageResponse { Status = ScriptedMessaging.Ok };
        };
        await using var channel = new DledgerChannel(new DledgerChannelOptions
        {
            Addresses = [node.Address],
            RequestTimeout = TimeSpan.FromMilliseconds(200),
            RetryTimeout = TimeSpan.Zero,
        });

        await Assert.ThrowsAsync<OutcomeUnknownException>(() => new Producer(channel).SendAsync(Hello));
        release.Set();
    }

    [Fact]
    public async Task A_connection_that_breaks_under_a_send_says_nothing_of_what_was_done()
    {
        using var node = new TcpListener(IPAddress.Loopback, 0);
        node.Start();
        var breaking = BreakAfterRequestAsync(node);
        await using var channel = Channel(node.LocalEndpoint.ToString()!);

        await Assert.ThrowsAsync<OutcomeUnknownException>(
            () => new Producer(channel, new ProducerOptions { IsNumbered = false }).SendAsync(Hello));
        await breaking;
    }

    [Fact]
    public async Task Cancellation_is_cancellation_and_no_fault()
    {
        await using var node = await ScriptedNode.StartAsync();
        node.Messaging.OnSend = _ => throw new RpcException(new Grpc.Core.Status(StatusCode.Unavailable, "not now"));
        await using var channel = new DledgerChannel(new DledgerChannelOptions { Addresses = [node.Address] });
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => new Producer(channel).SendAsync(Hello, cancellation.Token));
    }

    // Takes one connection, waits for the body of the request, and resets the connection.
    private static async Task BreakAfterRequestAsync(TcpListener node)
    {
        using var socket = await node.AcceptSocketAsync();
        var received = new byte[64 << 10];
        var count = 0;
        while (received.AsSpan(0, count).IndexOf("hello"u8) < 0)
        {
            var read = await socket.ReceiveAsync(received.AsMemory(count));
            Assert.NotEqual(0, read);
            count += read;
        }

        socket.LingerState = new LingerOption(enable: true, seconds: 0);
    }

    private static SendMessageResponse OverQuota(int milliseconds) => new()
    {
        Status = new Apache.Rocketmq.V2.Status { Code = Code.TooManyRequests, Message = $"enough; retry in {milliseconds} ms" },
    };

    private static DledgerChannel Channel(params string[] addresses) =>
        new(new DledgerChannelOptions { Addresses = addresses, RetryTimeout = TimeSpan.Zero });
}
