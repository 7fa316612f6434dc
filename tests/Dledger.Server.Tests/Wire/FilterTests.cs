using Apache.Rocketmq.V2;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Server.Tests.Wire;

/// <summary>Statements 44 and 45 of the conformance checklist (protocol, section 8), through a real node.</summary>
public sealed class FilterTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    [Theory]
    [InlineData("a > 5 AND b = 'x'", "one")]
    [InlineData("a BETWEEN 1 AND 6", "one two")]
    [InlineData("b IN ('x','y')", "one two")]
    [InlineData("b NOT IN ('x')", "two")]
    [InlineData("b IS NULL", "three")]
    [InlineData("NOT (b = 'x')", "two")]
    [InlineData("b CONTAINS 'x'", "one")]
    [InlineData("b NOT CONTAINS 'x'", "two")]
    [InlineData("TAGS = 'A'", "three")]
    [InlineData("a > 5.0", "one three")]
    public async Task An_SQL_filter_lets_through_what_it_describes(string expression, string expected)
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        await Client.SendAsync(Message(topic, "one", ("a", "6"), ("b", "x")));
        await Client.SendAsync(Message(topic, "two", ("a", "3"), ("b", "y")));
        var third = Message(topic, "three", ("a", "7.5"));
        third.SystemProperties.Tag = "A";
        await Client.SendAsync(third);

        var received = new List<string>();
        var wanted = expected.Split(' ');
        while (received.Count < wanted.Length)
        {
            var messages = await Client.ReceiveAsync(topic, group, request => Sql(request, expression, 5));
            Assert.NotEmpty(messages);
            received.AddRange(messages.Select(message => message.Body.ToStringUtf8()));
        }

        Assert.Equal(wanted.Order(), received.Order());
        Assert.Empty(await Client.ReceiveAsync(topic, group, request => Sql(request, expression, 0.1)));
    }

    [Theory]
    [InlineData("a LIKE 'x%'", "character 3: LIKE is not known")]
    [InlineData("a > 'x'", "character 5:")]
    [InlineData("a = NULL", "character 5:")]
    [InlineData("", "empty")]
    [InlineData("a = 1 b", "character 7:")]
    public async Task What_is_no_SQL_filter_gets_its_code_and_the_place(string expression, string reason)
    {
        var topic = await shared.NewTopicAsync();

        var frames = await Client.ReceiveFramesAsync(
            Client.ReceiveRequest(topic, "group", request => Sql(request, expression, 1)));

        var status = Assert.Single(frames).Status;
        Assert.Equal(Code.IllegalFilterExpression, status.Code);
        Assert.Contains(reason, status.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_filter_without_a_type_is_a_tag_filter()
    {
        var topic = await shared.NewTopicAsync();
        var group = await shared.NewGroupAsync();
        await Client.SendAsync(Client.Message(topic, change: message => message.SystemProperties.Tag = "red"));
        await Client.SendAsync(Client.Message(topic, change: message => message.SystemProperties.Tag = "blue"));

        var received = await Client.ReceiveAsync(topic, group, request =>
            request.FilterExpression = new FilterExpression { Type = FilterType.Unspecified, Expression = "red" });

        Assert.Equal("red", Assert.Single(received).SystemProperties.Tag);
    }

    private Message Message(string topic, string body, params (string Key, string Value)[] properties) =>
        Client.Message(topic, body, message =>
        {
            foreach (var (key, value) in properties)
            {
                message.UserProperties.Add(key, value);
            }
        });

    private static void Sql(ReceiveMessageRequest request, string expression, double seconds)
    {
        request.FilterExpression = new FilterExpression { Type = FilterType.Sql, Expression = expression };
        request.LongPollingTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));
    }
}
