using System.Text.Json;
using Dledger.Integration.Tests.Processes;

namespace Dledger.Integration.Tests;

/// <summary>Real processes join and leave a cluster, by the command line alone.</summary>
public sealed class MembershipTests
{
    [Fact]
    public async Task A_cluster_moves_to_new_nodes_one_by_one_and_keeps_its_messages()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        await cluster.CommandAsync("topic", "create", "orders", "--queues", "1");
        await cluster.CommandAsync("group", "create", "readers");
        await cluster.CommandAsync("produce", "orders", "first");

        var fourth = cluster.Prepare();
        fourth.Start();
        await cluster.CommandAsync("node", "add", $"4=127.0.0.1:{fourth.PeerPort}", "--timeout", "60");
        await cluster.CommandAsync("node", "remove", "1", "--timeout", "60");
        await cluster.Nodes[0].KillAsync();
        await cluster.CommandAsync("produce", "orders", "second");
        await cluster.CommandAsync("node", "transfer", "4");

        // Node 2 has never heard of node 4 by its options, and forwards to it.
        await Eventually.TrueAsync(
            "node 4 leads", TimeSpan.FromSeconds(30), async () => (await cluster.FindLeaderAsync())?.Id == 4);
        await cluster.CommandAsync("produce", "orders", "third");
        var list = await cluster.CommandAsync("node", "list", "--json");
        Assert.Equal(
            ["2 voter", "3 voter", "4 voter"],
            list.Json.EnumerateArray().Select(Describe));
        var consumed = await cluster.CommandAsync("consume", "orders", "--group", "readers", "--until-empty");
        Assert.Equal(
            ["first", "second", "third"],
            consumed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t', ' ')[^1]));
    }

    [Fact]
    public async Task A_node_that_lost_its_disk_is_a_voter_again_without_being_asked()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        await cluster.CommandAsync("topic", "create", "orders", "--queues", "1");
        await cluster.CommandAsync("produce", "orders", "before");
        var lost = cluster.Nodes.First(node => node != cluster.Nodes[0]);

        await lost.KillAsync();
        Directory.Delete(lost.DataDirectory, recursive: true);
        lost.Start();

        await Eventually.TrueAsync("the node is replaced", TimeSpan.FromSeconds(60), async () =>
        {
            var list = await cluster.CommandAsync("node", "list", "--json");
            return list.Json.EnumerateArray().Select(Describe).Order().SequenceEqual(["1 voter", "2 voter", "3 voter"])
                && list.Json.EnumerateArray().All(node => node.GetProperty("state").GetString() == "ok");
        });
        await cluster.Nodes[0].KillAsync();
        await cluster.CommandAsync("produce", "orders", "after");
    }

    [Fact]
    public async Task A_drained_node_does_not_lead_and_a_wrong_node_is_named()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        var leader = await cluster.FindLeaderAsync();

        await cluster.CommandAsync("node", "drain", $"{leader!.Id}");

        await Eventually.TrueAsync("another node leads", TimeSpan.FromSeconds(30), async () =>
            await cluster.FindLeaderAsync() is { } next && next.Id != leader.Id);
        var unknown = await cluster.RunAsync("node", "drain", "9");
        Assert.Equal(4, unknown.ExitCode);
        Assert.Contains("node 9 is not part of the cluster", unknown.Error, StringComparison.Ordinal);
        var refused = await cluster.RunAsync("node", "add", "9=bad host:1");
        Assert.Equal(5, refused.ExitCode);
        Assert.Contains("neither a host name nor an IP address", refused.Error, StringComparison.Ordinal);
        await cluster.CommandAsync("node", "drain", $"{leader.Id}", "--undo");
    }

    private static string Describe(JsonElement node) =>
        $"{node.GetProperty("nodeId").GetInt32()} {node.GetProperty("memberRole").GetString()}";
}
