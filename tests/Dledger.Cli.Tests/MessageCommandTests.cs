using System.Security.Cryptography;
using Apache.Rocketmq.V2;
using Dledger.Client.Tests.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Cli.Tests;

public sealed class MessageCommandTests
{
    [Fact]
    public async Task Produce_sends_the_body_of_the_command_line_with_its_options()
    {
        await using var node = await ScriptedNode.StartAsync();

        var run = await CommandRun.OfAsync(
            "produce", "orders", "hello", "--tag", "t", "--key", "k1", "--key", "k2", "--property", "a=b=c", "--address", node.Address);

        var message = Assert.Single(Sent(node));
        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Equal(
            $"message {message.SystemProperties.MessageId} stored in topic orders at offset 0\n", run.Output);
        Assert.Equal(("hello", "t", "b=c"), (message.Body.ToStringUtf8(), message.SystemProperties.Tag, message.UserProperties["a"]));
        Assert.Equal(["k1", "k2"], message.SystemProperties.Keys);
    }

    [Fact]
    public async Task Produce_sends_each_line_of_stdin_in_order_and_leaves_out_empty_ones()
    {
        await using var node = await ScriptedNode.StartAsync();

        var run = await CommandRun.OfAsync("one\n\ntwo\nthree", [], ["produce", "orders", "--address", node.Address]);

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Equal(["one", "two", "three"], Sent(node).Select(message => message.Body.ToStringUtf8()));
        Assert.StartsWith("3 messages stored in topic orders in ", run.Output);
    }

    [Fact]
    public async Task Produce_sends_a_file_line_by_line_or_whole()
    {
        await using var node = await ScriptedNode.StartAsync();
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "one\ntwo\n");

        await CommandRun.OfAsync("produce", "orders", "--file", file, "--address", node.Address);
        await CommandRun.OfAsync("produce", "orders", "--file", file, "--whole", "--address", node.Address);
        File.Delete(file);

        Assert.Equal(["one", "two", "one\ntwo\n"], Sent(node).Select(message => message.Body.ToStringUtf8()));
    }

    [Fact]
    public async Task Produce_counts_its_repetitions()
    {
        await using var node = await ScriptedNode.StartAsync();

        var run = await CommandRun.OfAsync("produce", "orders", "m{n}", "--count", "3", "--json", "--address", node.Address);

        Assert.Equal(["m1", "m2", "m3"], Sent(node).Select(message => message.Body.ToStringUtf8()));
        Assert.Equal(3, run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Matches(@"^\{""topic"":""orders"",""messageId"":""01[0-9A-F]{32}"",""offset"":0\}\n", run.Output);
    }

    [Theory]
    [InlineData(ExitCode.Usage, "produce orders x --property nonsense")]
    [InlineData(ExitCode.Usage, "produce orders x --count 0")]
    [InlineData(ExitCode.Usage, "produce orders x --in-flight 5000")]
    [InlineData(ExitCode.Usage, "produce orders x --file y")]
    [InlineData(ExitCode.Usage, "produce orders")]
    [InlineData(ExitCode.NotFound, "produce orders --file no-such-file")]
    [InlineData(ExitCode.Usage, "consume orders --invisible 5")]
    public async Task What_cannot_be_sent_is_refused_before_anything_is_sent(ExitCode expected, string command)
    {
        await using var node = await ScriptedNode.StartAsync();

        var run = await CommandRun.OfAsync([.. command.Split(' '), "--address", node.Address]);

        Assert.Equal(expected, run.ExitCode);
        Assert.Equal("", run.Output);
        Assert.StartsWith("dledger: ", run.Error);
        Assert.Empty(Sent(node));
    }

    [Fact]
    public async Task A_refused_message_ends_with_its_code_and_says_how_many_were_stored()
    {
        await using var node = await ScriptedNode.StartAsync();
        var usual = node.Messaging.OnSend;
        node.Messaging.OnSend = request => request.Messages[0].Body.ToStringUtf8() == "bad"
            ? new SendMessageResponse { Status = new Status { Code = Code.MessageBodyTooLarge, Message = "too large" } }
            : usual(request);

        var run = await CommandRun.OfAsync("good\ngood\nbad\ngood", [], ["produce", "orders", "--address", node.Address]);

        Assert.Equal(ExitCode.Refused, run.ExitCode);
        Assert.StartsWith("2 messages stored", run.Output);
        Assert.Contains("41301", run.Error);
    }

    [Fact]
    public async Task Consume_prints_messages_and_acknowledges_them()
    {
        await using var node = await ScriptedNode.StartAsync();
        Deliver(node, [("hello"u8.ToArray(), "blue"), (new byte[] { 0xff, 0xfe }, null)]);

        var run = await CommandRun.OfAsync("consume", "orders", "--until-empty", "--group", "g", "--address", node.Address);

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Equal("2/0 [blue] hello\n2/1 (2 bytes)\n", run.Output);
        Assert.Equal("2 messages read from topic orders for group g\n", run.Error);
        var ack = node.Messaging.Requests.OfType<AckMessageRequest>().Single();
        Assert.Equal(["handle-0", "handle-1"], ack.Entries.Select(entry => entry.ReceiptHandle));
    }

    [Fact]
    public async Task Consume_answers_programs_with_one_value_for_each_message()
    {
        await using var node = await ScriptedNode.StartAsync();
        Deliver(node, [("hello"u8.ToArray(), "blue"), (new byte[] { 0xff, 0xfe }, null)]);

        var run = await CommandRun.OfAsync(
            "consume", "orders", "--until-empty", "--json", "--group", "g", "--address", node.Address);

        GoldenOutput.Check("consume-json", run.Describe("consume orders --until-empty --json --group g"));
    }

    [Fact]
    public async Task Consume_without_acknowledging_acknowledges_nothing()
    {
        await using var node = await ScriptedNode.StartAsync();
        Deliver(node, [("hello"u8.ToArray(), null)]);

        await CommandRun.OfAsync("consume", "orders", "--until-empty", "--no-ack", "--address", node.Address);

        Assert.Empty(node.Messaging.Requests.OfType<AckMessageRequest>());
    }

    [Fact]
    public async Task Consume_never_asks_for_more_than_its_limit()
    {
        await using var node = await ScriptedNode.StartAsync();
        node.Messaging.OnReceive = request => Enumerable.Range(0, request.BatchSize)
            .Select(index => Delivered(index, "x"u8.ToArray(), null));

        var run = await CommandRun.OfAsync("consume", "orders", "--max", "40", "--address", node.Address);

        Assert.Equal([32, 8], node.Messaging.Requests.OfType<ReceiveMessageRequest>().Select(request => request.BatchSize));
        Assert.Equal(40, run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task The_address_comes_from_the_environment_unless_the_command_line_names_one()
    {
        await using var node = await ScriptedNode.StartAsync();
        var variables = new Dictionary<string, string> { ["DLEDGER_ADDRESS"] = node.Address };

        var fromVariable = await CommandRun.OfAsync("", variables, ["topic", "list"]);
        var fromOption = await CommandRun.OfAsync(
            "", variables, ["topic", "list", "--wait", "0", "--address", await ScriptedNode.DeadAddressAsync()]);

        Assert.Equal((ExitCode.Ok, ExitCode.Unavailable), (fromVariable.ExitCode, fromOption.ExitCode));
    }

    private static IEnumerable<Message> Sent(ScriptedNode node) =>
        node.Messaging.Requests.OfType<SendMessageRequest>().SelectMany(request => request.Messages);

    // One answer with the messages, then nothing.
    private static void Deliver(ScriptedNode node, (byte[] Body, string? Tag)[] messages)
    {
        var empty = node.Messaging.OnReceive;
        var isFirst = true;
        node.Messaging.OnReceive = request =>
        {
            if (!isFirst)
            {
                return empty(request);
            }

            isFirst = false;
            return messages.Select((message, index) => Delivered(index, message.Body, message.Tag));
        };
    }

    private static ReceiveMessageResponse Delivered(int index, byte[] body, string? tag)
    {
        var system = new SystemProperties
        {
            MessageId = $"id-{index}",
            QueueId = 2,
            QueueOffset = index,
            DeliveryAttempt = 1,
            ReceiptHandle = $"handle-{index}",
            BodyEncoding = Encoding.Identity,
            BodyDigest = new Digest { Type = DigestType.Md5, Checksum = Convert.ToHexString(MD5.HashData(body)) },
            BornTimestamp = new Timestamp { Seconds = 1_700_000_000 },
            StoreTimestamp = new Timestamp { Seconds = 1_700_000_001 },
        };
        if (tag is not null)
        {
            system.Tag = tag;
        }

        return new ReceiveMessageResponse
        {
            Message = new Message
            {
                Topic = new Resource { Name = "orders" },
                Body = ByteString.CopyFrom(body),
                SystemProperties = system,
            },
        };
    }
}
