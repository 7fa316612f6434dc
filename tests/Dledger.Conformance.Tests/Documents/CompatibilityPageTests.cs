using System.Text.RegularExpressions;
using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Checklists;
using Dledger.Conformance.Tests.Nodes;
using Grpc.Core;
using Status = Apache.Rocketmq.V2.Status;

namespace Dledger.Conformance.Tests.Documents;

/// <summary>docs/rocketmq-compatibility.md says what a node does.</summary>
public sealed partial class CompatibilityPageTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "rocketmq-compatibility.md"));

    private static readonly Dictionary<string, bool> States = CallRow().Matches(Page.Replace(AdminSection(), "", StringComparison.Ordinal))
        .ToDictionary(row => row.Groups["call"].Value, row => row.Groups["state"].Value == "yes");

    private static readonly Dictionary<string, bool> AdminStates = CallRow().Matches(AdminSection())
        .ToDictionary(row => row.Groups["call"].Value, row => row.Groups["state"].Value == "yes");

    public static TheoryData<string> AdminMethods => [.. Admin.Descriptor.Methods.Select(method => method.Name)];

    public static TheoryData<string> Methods => [.. MessagingService.Descriptor.Methods.Select(method => method.Name)];

    [Fact]
    public void The_page_has_one_row_for_each_call_of_the_service() =>
        Assert.Equal(MessagingService.Descriptor.Methods.Select(method => method.Name).Order(), States.Keys.Order());

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task A_call_is_answered_exactly_when_the_page_says_so(string method) =>
        Assert.Equal(States[method], await IsAnsweredAsync(method));

    [Fact]
    public void The_page_has_one_row_for_each_call_of_the_administration() =>
        Assert.Equal(Admin.Descriptor.Methods.Select(method => method.Name).Order(), AdminStates.Keys.Order());

    [Theory]
    [MemberData(nameof(AdminMethods))]
    public async Task A_call_of_the_administration_is_answered_exactly_when_the_page_says_so(string method) =>
        Assert.Equal(AdminStates[method], await IsAdminAnsweredAsync(method));

    [Fact]
    public void The_page_knows_how_long_the_checklist_is() =>
        Assert.Contains($"each of its {Checklist.Items.Count} items", Page, StringComparison.Ordinal);

    [Theory]
    [InlineData("SQL filters", FilterType.Sql)]
    public async Task Filters_are_there_exactly_when_the_page_says_so(string feature, FilterType type)
    {
        var (topic, group) = await shared.PrepareAsync(messages: 1);
        var frames = await shared.Client.ReceiveFramesAsync(shared.Client.ReceiveRequest(topic, group, request =>
            request.FilterExpression = new FilterExpression { Type = type, Expression = "a IS NULL" }));

        Assert.Equal(StateOf(feature), frames[0].Status.Code == Code.Ok);
    }

    [Theory]
    [InlineData("delayed messages, recall", MessageType.Delay)]
    [InlineData("transactions", MessageType.Transaction)]
    [InlineData("priority messages", MessageType.Priority)]
    [InlineData("lite topics", MessageType.Lite)]
    public async Task Message_types_are_taken_exactly_when_the_page_says_so(string feature, MessageType type)
    {
        var topic = await shared.NewTopicAsync(1, type);
        var response = await shared.Client.SendAsync(shared.Client.Message(topic, change: message =>
        {
            var system = message.SystemProperties;
            system.MessageType = type;
            switch (type)
            {
                case MessageType.Delay:
                    system.DeliveryTimestamp = system.BornTimestamp;
                    break;
                case MessageType.Priority:
                    system.Priority = 1;
                    break;
                case MessageType.Lite:
                    system.LiteTopic = "lite";
                    break;
            }
        }));

        Assert.Equal(StateOf(feature), response.Status.Code == Code.Ok);
        Assert.True(response.Status.Code is Code.Ok or Code.NotImplemented, $"{response.Status}");
    }

    private static bool StateOf(string feature)
    {
        var row = Regex.Match(Page, $@"^\| {Regex.Escape(feature)} \| (?<state>yes|no) \|", RegexOptions.Multiline);
        Assert.True(row.Success, $"the page has no row '{feature}'");
        return row.Groups["state"].Value == "yes";
    }

    /// <summary>Asks with an empty request: a call that is there refuses it for a rule of its own.</summary>
    private async Task<bool> IsAnsweredAsync(string method)
    {
        var client = shared.Client.Messaging;
        var options = shared.Client.Options(TimeSpan.FromSeconds(20));
        try
        {
            var status = method switch
            {
                "QueryRoute" => (await client.QueryRouteAsync(new(), options)).Status,
                "Heartbeat" => (await client.HeartbeatAsync(new(), options)).Status,
                "SendMessage" => (await client.SendMessageAsync(new(), options)).Status,
                "QueryAssignment" => (await client.QueryAssignmentAsync(new(), options)).Status,
                "ReceiveMessage" => (await FirstAsync(client.ReceiveMessage(new(), options).ResponseStream)).Status,
                "AckMessage" => (await client.AckMessageAsync(new(), options)).Status,
                "ForwardMessageToDeadLetterQueue" => (await client.ForwardMessageToDeadLetterQueueAsync(new(), options)).Status,
                "PullMessage" => (await FirstAsync(client.PullMessage(new(), options).ResponseStream)).Status,
                "UpdateOffset" => (await client.UpdateOffsetAsync(new(), options)).Status,
                "GetOffset" => (await client.GetOffsetAsync(new(), options)).Status,
                "QueryOffset" => (await client.QueryOffsetAsync(new(), options)).Status,
                "EndTransaction" => (await client.EndTransactionAsync(new(), options)).Status,
                "Telemetry" => await OpenAsync(),
                "NotifyClientTermination" => (await client.NotifyClientTerminationAsync(new(), options)).Status,
                "ChangeInvisibleDuration" => (await client.ChangeInvisibleDurationAsync(new(), options)).Status,
                "RecallMessage" => (await client.RecallMessageAsync(new(), options)).Status,
                "SyncLiteSubscription" => (await client.SyncLiteSubscriptionAsync(new(), options)).Status,
                _ => throw new InvalidOperationException($"a call that this test does not know: {method}"),
            };
            return status.Code != Code.NotImplemented;
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.Unimplemented)
        {
            return false;
        }
    }

    private static string AdminSection()
    {
        var begin = Page.IndexOf("## Calls of RocketMQ's `Admin` service", StringComparison.Ordinal);
        Assert.True(begin > 0, "the page has no section about the administration");
        return Page[begin..Page.IndexOf("\n## ", begin, StringComparison.Ordinal)];
    }

    private async Task<bool> IsAdminAnsweredAsync(string method)
    {
        var client = shared.Client.RocketAdmin;
        var options = shared.Client.Options(TimeSpan.FromSeconds(20));
        var status = method switch
        {
            "ChangeLogLevel" => new Status
            {
                Code = (await client.ChangeLogLevelAsync(
                    new() { Level = ChangeLogLevelRequest.Types.Level.Warn }, options)).Remark.Length > 0 ? Code.Ok : Code.NotImplemented,
            },
            "DescribeTopicStatus" => (await client.DescribeTopicStatusAsync(new(), options)).Status,
            "ListSubscription" => (await client.ListSubscriptionAsync(new(), options)).Status,
            "DescribeSubscription" => (await client.DescribeSubscriptionAsync(new(), options)).Status,
            "DeleteSubscription" => (await client.DeleteSubscriptionAsync(new(), options)).Status,
            "DescribeGroupAccumulation" => (await client.DescribeGroupAccumulationAsync(new(), options)).Status,
            "ListConsumerConnection" => (await client.ListConsumerConnectionAsync(new(), options)).Status,
            "ResetGroupOffset" => (await client.ResetGroupOffsetAsync(new(), options)).Status,
            "QueryMessage" => (await client.QueryMessageAsync(new(), options)).Status,
            "PrintThreadStackTrace" => (await client.PrintThreadStackTraceAsync(new(), options)).Status,
            "VerifyMessage" => (await client.VerifyMessageAsync(new(), options)).Status,
            "AdminSendMessage" => (await client.AdminSendMessageAsync(new(), options)).Status,
            "GetConsumerRunningInfo" => (await client.GetConsumerRunningInfoAsync(new(), options)).Status,
            "GetTopicRoute" => (await client.GetTopicRouteAsync(new(), options)).Status,
            "QueryTimeSpan" => (await client.QueryTimeSpanAsync(new(), options)).Status,
            "GetProxyRuntimeStats" => (await client.GetProxyRuntimeStatsAsync(new(), options)).Status,
            _ => throw new InvalidOperationException($"a call that this test does not know: {method}"),
        };
        return status.Code != Code.NotImplemented;
    }

    private async Task<Status> OpenAsync()
    {
        using var stream = new Wire.TelemetryStream(shared.Client);
        await stream.SendAsync(stream.Producer("orders"));
        return (await stream.NextAsync()).Status;
    }

    private static async Task<T> FirstAsync<T>(IAsyncStreamReader<T> stream)
    {
        Assert.True(await stream.MoveNext(CancellationToken.None));
        return stream.Current;
    }

    [GeneratedRegex(@"^\| `(?<call>\w+)` \| (?<state>yes|no) \|", RegexOptions.Multiline)]
    private static partial Regex CallRow();
}
