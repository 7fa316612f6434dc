using System.Collections.Concurrent;
using System.Text.Json;
using Dledger.Integration.Tests.Processes;
using Dledger.Integration.Tests.Scripts;

namespace Dledger.Integration.Tests;

/// <summary>What was acked is there, whatever dies.</summary>
public sealed class FailureTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Killing_the_leader_under_load_loses_nothing_and_breaks_no_order()
    {
        var figures = await RunScriptAsync("demo.mjs", "--messages", "3000", "--kills", "2", "--minutes", "5");

        Assert.Equal(3000, figures.GetProperty("acked").GetInt32());
        Assert.Equal(0, figures.GetProperty("lost").GetInt32());
        Assert.Equal(0, figures.GetProperty("outOfOrder").GetInt32());
        Assert.Equal(0, figures.GetProperty("sharedOffsets").GetInt32());
        Assert.Equal(2, figures.GetProperty("gapMilliseconds").GetArrayLength());
    }

    [Fact]
    public async Task Killing_all_nodes_at_once_under_load_loses_nothing_that_was_acked()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        await cluster.CommandAsync("topic", "create", "power", "--queues", "4");
        await cluster.CommandAsync("group", "create", "auditors");
        var acked = new ConcurrentDictionary<string, long>();

        var load = cluster.Nodes.Select(node => SendUntilFailureAsync(node.Address, "power", acked)).ToArray();
        await Eventually.TrueAsync("300 messages are acked", Patience, () => Task.FromResult(acked.Count >= 300));
        await Task.WhenAll(cluster.Nodes.Select(node => node.KillAsync()));
        await Task.WhenAll(load);
        foreach (var node in cluster.Nodes)
        {
            node.Start();
        }

        await cluster.WaitUntilWholeAsync();
        var read = await cluster.CommandAsync("consume", "power", "--group", "auditors", "--until-empty", "--json");
        var found = read.JsonLines.ToLookup(
            message => message.GetProperty("messageId").GetString()!, message => message.GetProperty("offset").GetInt64());

        Assert.All(acked, ack => Assert.Contains(ack.Value, found[ack.Key]));
        var places = read.JsonLines.Select(message =>
            (message.GetProperty("queueId").GetInt32(), message.GetProperty("offset").GetInt64())).ToList();
        Assert.Equal(places.Count, places.Distinct().Count());
    }

    [Fact]
    public async Task A_node_killed_at_a_random_write_or_sync_keeps_everything_that_was_acked()
    {
        var figures = await RunScriptAsync("crash-rounds.mjs", "--rounds", "2", "--calls", "120");

        Assert.Equal(2, figures.GetProperty("rounds").GetInt32());
        Assert.Equal(0, figures.GetProperty("lost").GetInt32());
        Assert.False(figures.GetProperty("broken").GetBoolean());
    }

    [Fact]
    public async Task A_leader_that_is_told_to_stop_hands_over_and_ends_well()
    {
        await using var cluster = await NodeCluster.StartAsync(3);
        await cluster.CommandAsync("topic", "create", "handover");
        var leader = await Eventually.FindAsync("a leader", Patience, cluster.FindLeaderAsync);

        var exitCode = await leader.StopAsync(Patience);
        var next = await Eventually.FindAsync("another leader", Patience, cluster.FindLeaderAsync);
        var sent = await ProgramRun.DledgerAsync("produce", "handover", "still here", "--address", next.Address);

        Assert.Equal(0, exitCode);
        Assert.NotEqual(leader.Id, next.Id);
        Assert.True(sent.ExitCode == 0, sent.Error);
    }

    private static async Task SendUntilFailureAsync(string address, string topic, ConcurrentDictionary<string, long> acked)
    {
        await using var producer = await SdkScript.StartProducerAsync(address, topic);
        try
        {
            for (var i = 0; ; i++)
            {
                var sent = await producer.SendAsync(new { body = $"{i}" });
                acked[sent.MessageId] = sent.Offset;
            }
        }
        catch (SdkException)
        {
            // The nodes are gone; what counts is what was acked until then.
        }
    }

    private static async Task<JsonElement> RunScriptAsync(string script, params string[] arguments)
    {
        await NodePackages.EnsureAsync();
        var configuration = Directory.GetParent(Repository.Binary)!.Parent!.Name;
        var run = await ProgramRun.RunAsync(
            "node",
            [script, "--json", "--configuration", configuration, .. arguments],
            "",
            Repository.Scripts,
            TimeSpan.FromMinutes(8));
        Assert.True(run.ExitCode == 0, $"{script}: exit code {run.ExitCode}\n{run.Output}\n{run.Error}");
        return run.Json;
    }
}
