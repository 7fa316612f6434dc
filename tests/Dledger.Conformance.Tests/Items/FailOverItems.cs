using Apache.Rocketmq.V2;
using Dledger.Conformance.Tests.Nodes;
using Dledger.Conformance.Tests.Wire;
using Grpc.Core;

namespace Dledger.Conformance.Tests.Items;

/// <summary>Nodes die or stop, so each test has its own.</summary>
public sealed class FailOverItems
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Item_28_what_was_answered_ok_survives_the_leader_and_without_a_quorum_nothing_is_ok()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var leader = await Eventually.FindAsync("a leader", Patience, cluster.FindLeaderAsync);
        var others = cluster.Nodes.Where(node => node.Id != leader.Id).ToArray();
        using var client = new TestClient(others[0].ClientPort, Unique.Name("client"));
        var topic = await Administration.NewTopicAsync(client);
        var group = await Administration.NewGroupAsync(client);

        var confirmed = new HashSet<string>();
        var killed = Task.CompletedTask;
        for (var count = 0; count < 60; count++)
        {
            var message = client.Message(topic, $"{count}");
            await SendUntilOkAsync(client, message);
            confirmed.Add(message.SystemProperties.MessageId);
            if (count == 20)
            {
                killed = leader.KillAsync();
            }
        }

        await killed;
        var seen = new HashSet<string>();
        await Eventually.TrueAsync("everything confirmed is received", Patience, async () =>
        {
            var received = await client.ReceiveAsync(topic, group);
            seen.UnionWith(received.Select(message => message.SystemProperties.MessageId));
            return confirmed.IsSubsetOf(seen);
        });

        await others[1].KillAsync();
        var lonely = await TrySendAsync(client, client.Message(topic, "lonely"), TimeSpan.FromSeconds(3));

        Assert.NotEqual(Code.Ok, lonely);
    }

    [Fact]
    public async Task Item_61_a_stopping_server_ends_its_streams_and_keeps_what_it_confirmed()
    {
        await using var cluster = await NodeCluster.StartAsync(1);
        var node = cluster.Nodes[0];
        using var client = new TestClient(node.ClientPort, Unique.Name("client"));
        var topic = await Administration.NewTopicAsync(client);
        var group = await Administration.NewGroupAsync(client);
        using var stream = new TelemetryStream(client);
        await stream.SendAsync(stream.Producer(topic));
        await stream.NextAsync();
        var sent = await client.SendAsync(client.Message(topic, "kept"));

        var stopping = node.StopAsync(Patience);
        var failure = await Assert.ThrowsAsync<RpcException>(() => stream.NextAsync(_ => false));
        var exitCode = await stopping;
        node.Start();
        await cluster.WaitUntilWholeAsync();
        using var again = new TestClient(node.ClientPort, Unique.Name("client"));
        var received = Assert.Single(await again.ReceiveAsync(topic, group));

        Assert.Equal(Code.Ok, sent.Status.Code);
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Equal(0, exitCode);
        Assert.Equal("kept", received.Body());
    }

    private static Task SendUntilOkAsync(TestClient client, Message message) => Eventually.TrueAsync(
        "the message is confirmed", Patience, async () => await TrySendAsync(client, message, TimeSpan.FromSeconds(5)) == Code.Ok);

    /// <summary>The code of the answer, or null when there was none.</summary>
    private static async Task<Code?> TrySendAsync(TestClient client, Message message, TimeSpan timeout)
    {
        try
        {
            var response = await client.Messaging.SendMessageAsync(
                new SendMessageRequest { Messages = { message } }, client.Options(timeout));
            return response.Status.Code;
        }
        catch (RpcException)
        {
            return null;
        }
    }
}
