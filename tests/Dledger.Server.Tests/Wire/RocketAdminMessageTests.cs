using Apache.Rocketmq.V2;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Server.Tests.Wire;

/// <summary>RocketMQ's administration: finding and sending messages.</summary>
public sealed class RocketAdminMessageTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private Admin.AdminClient Admin => shared.Client.RocketAdmin;

    [Fact]
    public async Task A_message_is_found_by_its_id()
    {
        var topic = await shared.NewTopicAsync();
        var sent = shared.Client.Message(topic, "body", message =>
        {
            message.SystemProperties.Tag = "t";
            message.UserProperties["color"] = "red";
        });
        await shared.Client.SendAsync(sent, shared.Client.Message(topic));

        var response = await Admin.QueryMessageAsync(
            new() { Topic = TestClient.Resource(topic), MessageId = sent.SystemProperties.MessageId }, shared.Client.Options());

        var found = Assert.Single(response.Messages);
        Assert.Equal("body", found.Body.ToStringUtf8());
        Assert.Equal("t", found.SystemProperties.Tag);
        Assert.Equal("red", found.UserProperties["color"]);
        Assert.Equal(0, found.SystemProperties.QueueOffset);
        Assert.False(found.SystemProperties.HasReceiptHandle);
        Assert.Equal("", response.ScrollId);
    }

    [Fact]
    public async Task Messages_of_a_key_come_newest_first_a_page_at_a_time_by_scroll()
    {
        var topic = await shared.NewTopicAsync();
        await SendAsync(topic, 5, "k");
        var request = new ListMessageRequest { Topic = TestClient.Resource(topic), MessageKey = "k", MaxMessageNums = 2 };

        var bodies = await ScrollAsync(request, onPage: () => SendAsync(topic, 1, "k"));

        Assert.Equal([["4", "3"], ["2", "1"], ["0"]], bodies);
    }

    [Fact]
    public async Task Messages_of_a_key_come_by_page_number()
    {
        var topic = await shared.NewTopicAsync();
        await SendAsync(topic, 5, "k");

        var page = await Admin.QueryMessageAsync(
            new() { Topic = TestClient.Resource(topic), MessageKey = "k", PageNum = 2, PageSize = 2 }, shared.Client.Options());

        Assert.Equal(["2", "1"], page.Messages.Select(message => message.Body.ToStringUtf8()));
    }

    [Fact]
    public async Task Messages_of_a_time_range_come_queue_by_queue_and_both_ends_belong_to_it()
    {
        var topic = await shared.NewTopicAsync(2);
        var all = await SendAsync(topic, 8);
        var stored = await Admin.QueryMessageAsync(Range(topic, 100), shared.Client.Options());
        var inTime = stored.Messages.OrderBy(message => message.SystemProperties.StoreTimestamp).ToArray();
        var request = Range(topic, 3);
        request.BeginTimestamp = inTime[1].SystemProperties.StoreTimestamp;
        request.EndTimestamp = inTime[6].SystemProperties.StoreTimestamp;

        var pages = await ScrollAsync(request, onPage: () => SendAsync(topic, 1));
        var second = await Admin.QueryMessageAsync(
            new ListMessageRequest(request) { PageNum = 2, PageSize = 4 }, shared.Client.Options());

        Assert.Equal(all, stored.Messages.Select(Body).Order());
        Assert.Equal(all[1..7], pages.SelectMany(page => page).Order());
        Assert.Equal([3, 3], pages.Select(page => page.Length));
        Assert.Equal(pages.SelectMany(page => page).Skip(4), second.Messages.Select(Body));
        var places = stored.Messages.Select(message => (message.SystemProperties.QueueId, message.SystemProperties.QueueOffset));
        Assert.Equal(places.Order(), places);
    }

    [Fact]
    public async Task A_queue_can_be_asked_alone()
    {
        var topic = await shared.NewTopicAsync(2);
        await SendAsync(topic, 6);
        var request = Range(topic, 100);
        request.QueueId = 1;
        request.BrokerName = "dledger-0";

        var response = await Admin.QueryMessageAsync(request, shared.Client.Options());

        Assert.NotEmpty(response.Messages);
        Assert.All(response.Messages, message => Assert.Equal(1, message.SystemProperties.QueueId));
    }

    [Fact]
    public async Task What_does_not_fit_into_one_answer_comes_with_the_next_page()
    {
        var topic = await shared.NewTopicAsync();
        for (var i = 0; i < 5; i++)
        {
            await shared.Client.SendAsync(shared.Client.Message(topic, new string((char)('a' + i), 1 << 20)));
        }

        var pages = await ScrollAsync(Range(topic, 100));

        Assert.Equal([3, 2], pages.Select(page => page.Length));
        Assert.Equal("abcde", string.Concat(pages.SelectMany(page => page).Select(body => body[0])));
    }

    [Fact]
    public async Task An_operator_sends_a_message_as_a_producer_would()
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();

        var sent = await Admin.AdminSendMessageAsync(
            new()
            {
                Topic = TestClient.Resource(topic),
                Tag = "t",
                Key = "k",
                Body = ByteString.CopyFromUtf8("by hand"),
                UserProperties = { ["color"] = "red" },
                ExtInfo = { ["protocol_type"] = "GRPC_V2", ["unknown"] = "x" },
            },
            new Grpc.Core.CallOptions());
        var received = Assert.Single(await shared.Client.ReceiveAsync(topic, group));

        Assert.Equal(Code.Ok, sent.Status.Code);
        Assert.Equal(sent.MessageId, received.SystemProperties.MessageId);
        Assert.Equal("by hand", received.Body.ToStringUtf8());
        Assert.Equal("t", received.SystemProperties.Tag);
        Assert.Equal(["k"], received.SystemProperties.Keys);
        Assert.Equal("red", received.UserProperties["color"]);
    }

    private static string Body(Message message) => message.Body.ToStringUtf8();

    private static ListMessageRequest Range(string topic, int count) => new()
    {
        Topic = TestClient.Resource(topic),
        BeginTimestamp = Timestamp.FromDateTime(DateTime.UnixEpoch),
        EndTimestamp = Timestamp.FromDateTime(DateTime.UtcNow.AddDays(1)),
        MaxMessageNums = count,
    };

    // One by one, so that each has a store time of its own.
    private async Task<string[]> SendAsync(string topic, int count, string? key = null)
    {
        for (var i = 0; i < count; i++)
        {
            await shared.Client.SendAsync(shared.Client.Message(topic, $"{i}", message =>
            {
                if (key is not null)
                {
                    message.SystemProperties.Keys.Add(key);
                }
            }));
        }

        return [.. Enumerable.Range(0, count).Select(i => $"{i}")];
    }

    private async Task<string[][]> ScrollAsync(ListMessageRequest request, Func<Task>? onPage = null)
    {
        var pages = new List<string[]>();
        do
        {
            var response = await Admin.QueryMessageAsync(request, shared.Client.Options());
            Assert.Equal(Code.Ok, response.Status.Code);
            pages.Add([.. response.Messages.Select(Body)]);
            request.ScrollId = response.ScrollId;
            await (onPage?.Invoke() ?? Task.CompletedTask);
        }
        while (request.ScrollId.Length > 0 && pages.Count < 100);

        return [.. pages];
    }
}
