using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Conformance.Tests.Wire;

namespace Dledger.Conformance.Tests.Items;

public sealed class SqlItems(SharedNode shared) : IClassFixture<SharedNode>
{
    private TestClient Client => shared.Client;

    /// <summary>Messages: 0 has neither property; 1: a=1, b=x; 2: a=3, b=y; 3: a=6, b=x; 4: a=xbz, tag A.</summary>
    [Theory]
    [InlineData("a > 5 AND b = 'x'", new[] { "3" })]
    [InlineData("a BETWEEN 1 AND 3", new[] { "1", "2" })]
    [InlineData("a IN ('1', 'xbz')", new[] { "1", "4" })]
    [InlineData("a NOT IN ('1')", new[] { "2", "3", "4" })]
    [InlineData("a IS NULL", new[] { "0" })]
    [InlineData("a IS NOT NULL", new[] { "1", "2", "3", "4" })]
    [InlineData("NOT (b = 'x')", new[] { "2" })]
    [InlineData("a CONTAINS 'b'", new[] { "4" })]
    [InlineData("a NOT CONTAINS 'b'", new[] { "1", "2", "3" })]
    [InlineData("TAGS = 'A'", new[] { "4" })]
    public async Task Item_45_an_sql_filter_lets_through_what_is_true_of_it(string expression, string[] expected)
    {
        var (topic, group) = await shared.PrepareAsync(messages: 0);
        (string? A, string? B, string? Tag)[] messages =
            [(null, null, null), ("1", "x", null), ("3", "y", null), ("6", "x", null), ("xbz", null, "A")];
        for (var index = 0; index < messages.Length; index++)
        {
            await Client.SendAsync(Client.Message(topic, $"{index}", message => Fill(message, messages[index])));
        }

        var received = await Client.GlanceAsync(topic, group, request =>
            request.FilterExpression = new FilterExpression { Type = FilterType.Sql, Expression = expression });

        Assert.Equal(expected, received.Select(message => message.Body()));
    }

    [Theory]
    [InlineData("a LIKE 'x%'")]
    [InlineData("a > 'x'")]
    [InlineData("a = NULL")]
    [InlineData("")]
    public Task Item_45_an_expression_outside_the_grammar_is_refused(string expression) => AssertRefusedAsync(expression);

    [Fact]
    public Task Item_44_a_bad_sql_expression_is_refused() => AssertRefusedAsync("a = ");

    private async Task AssertRefusedAsync(string expression)
    {
        var (topic, group) = await shared.PrepareAsync(messages: 1);
        var before = await shared.StateAsync(topic, group);

        var frames = await Client.ReceiveFramesAsync(Client.ReceiveRequest(topic, group, request =>
            request.FilterExpression = new FilterExpression { Type = FilterType.Sql, Expression = expression }));

        Assert.Equal(Code.IllegalFilterExpression, Assert.Single(frames).Status.Code);
        Assert.NotEmpty(frames[0].Status.Message);
        Assert.Equal(before, await shared.StateAsync(topic, group));
    }

    private static void Fill(Message message, (string? A, string? B, string? Tag) values)
    {
        if (values.A is { } a)
        {
            message.UserProperties["a"] = a;
        }

        if (values.B is { } b)
        {
            message.UserProperties["b"] = b;
        }

        if (values.Tag is { } tag)
        {
            message.SystemProperties.Tag = tag;
        }
    }
}
