using System.Diagnostics;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Dledger.Integration.Tests.Processes;

namespace Dledger.Integration.Tests;

/// <summary>The program as people and scripts use it: real processes, real exit codes.</summary>
public sealed partial class CommandLineTests(SharedClusters clusters) : IClassFixture<SharedClusters>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Dev_runs_without_configuration_and_its_first_two_commands_work()
    {
        var directory = Directory.CreateTempSubdirectory("dledger-dev-");
        using var dev = Process.Start(new ProcessStartInfo(Repository.Binary, ["dev", "--port", "0"])
        {
            WorkingDirectory = directory.FullName,
            RedirectStandardOutput = true,
        })!;
        try
        {
            using var timeout = new CancellationTokenSource(Patience);
            var text = "";
            while (!text.Contains("Ctrl+C", StringComparison.Ordinal))
            {
                text += await dev.StandardOutput.ReadLineAsync(timeout.Token) + "\n";
            }

            var commands = PastedCommand().Matches(text).Select(match => match.Value.Trim()).ToList();
            var produced = await ShellAsync(commands[0], directory.FullName);
            var consumed = await ShellAsync(commands[1], directory.FullName);

            Assert.True(produced.ExitCode == 0, produced.Error);
            Assert.True(consumed.ExitCode == 0, consumed.Error);
            Assert.EndsWith(" hello\n", consumed.Output);
            Assert.True(Directory.Exists(Path.Combine(directory.FullName, ".dledger")));
        }
        finally
        {
            dev.Kill();
            await dev.WaitForExitAsync();
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Lines_of_stdin_become_messages_that_consume_prints_and_acknowledges()
    {
        var cluster = await clusters.GetAsync(1);
        var topic = await NewTopicAsync(cluster);

        var produced = await ProgramRun.RunAsync(
            Repository.Binary,
            ["produce", topic, "--tag", "t", "--property", "colour=red", "--address", cluster.Address],
            "one\ntwo\n\nthree\n",
            Directory.GetCurrentDirectory(),
            Patience);
        var first = await cluster.CommandAsync("consume", topic, "--group", topic, "--until-empty", "--json");
        var second = await cluster.CommandAsync("consume", topic, "--group", topic, "--until-empty");

        Assert.True(produced.ExitCode == 0, produced.Error);
        Assert.StartsWith($"3 messages stored in topic {topic}", produced.Output);
        Assert.Equal(["one", "three", "two"], first.JsonLines.Select(line => line.GetProperty("body").GetString()).Order());
        Assert.All(first.JsonLines, line => Assert.Equal("red", line.GetProperty("properties").GetProperty("colour").GetString()));
        Assert.Equal("", second.Output);
    }

    [Fact]
    public async Task Topics_and_groups_can_be_created_listed_described_and_deleted()
    {
        var cluster = await clusters.GetAsync(1);
        var topic = await NewTopicAsync(cluster);
        await cluster.CommandAsync("produce", topic, "x", "--count", "5");

        var list = await cluster.CommandAsync("topic", "list", "--json");
        var described = await cluster.CommandAsync("topic", "describe", topic, "--json");
        var group = await cluster.CommandAsync("group", "describe", topic, "--json");
        var deleted = await cluster.RunAsync("topic", "delete", topic, "--yes");
        var gone = await cluster.RunAsync("topic", "describe", topic);

        Assert.Contains(list.Json.GetProperty("topics").EnumerateArray(), item => item.GetProperty("name").GetString() == topic);
        Assert.Equal(5, described.Json.GetProperty("queues").EnumerateArray().Sum(queue => queue.GetProperty("maxOffset").GetInt64()));
        Assert.Equal(17, group.Json.GetProperty("maxAttempts").GetInt32());
        Assert.Equal((0, 4), (deleted.ExitCode, gone.ExitCode));
    }

    [Fact]
    public async Task Messages_of_a_topic_with_a_short_retention_go_and_those_of_others_stay_until_they_are_told_otherwise()
    {
        var cluster = await clusters.GetAsync(1);
        var topic = await NewTopicAsync(cluster);
        var brief = await NewTopicAsync(cluster);
        await cluster.CommandAsync("produce", topic, "x", "--count", "5");
        await cluster.CommandAsync("produce", brief, "x", "--count", "5");

        var altered = await cluster.CommandAsync("topic", "alter", brief, "--retention-time", "1s", "--json");
        await WaitForMinimaAsync(cluster, brief, 5);
        var others = await MinimaAsync(cluster, topic);
        await cluster.CommandAsync("topic", "alter", topic, "--retention-bytes", "1");
        await WaitForMinimaAsync(cluster, topic, 4);
        var refused = await cluster.RunAsync("topic", "alter", topic, "--retention-time", "1ms");
        var reset = await cluster.CommandAsync(
            "topic", "alter", topic, "--retention-bytes", "default", "--retention-time", "default");

        Assert.Equal("00:00:01", altered.Json.GetProperty("retentionTime").GetString());
        Assert.Equal(0, others);
        Assert.Equal(5, refused.ExitCode);
        Assert.Contains("are allowed", refused.Error);
        Assert.DoesNotContain("keeps", reset.Output);
    }

    [Fact]
    public async Task Each_kind_of_fault_has_its_own_exit_code_and_says_what_to_do()
    {
        var cluster = await clusters.GetAsync(1);

        var usage = await ProgramRun.DledgerAsync("topic", "create");
        var unreachable = await ProgramRun.DledgerAsync("topic", "list", "--address", "127.0.0.1:1", "--wait", "0");
        var unknown = await cluster.RunAsync("topic", "describe", "nobody-made-this");
        var refused = await cluster.RunAsync("topic", "create", "not a name");

        Assert.Equal((2, 3, 4, 5), (usage.ExitCode, unreachable.ExitCode, unknown.ExitCode, refused.ExitCode));
        Assert.Contains("--help", usage.Error);
        Assert.Contains("dledger dev", unreachable.Error);
        Assert.Contains("nobody-made-this", unknown.Error);
        Assert.All([usage, unreachable, unknown, refused], run => Assert.Equal("", run.Output));
    }

    [Fact]
    public async Task A_wrong_configuration_is_refused_with_all_its_problems_and_no_port_opens()
    {
        var directory = Directory.CreateTempSubdirectory("dledger-config-");
        var file = Path.Combine(directory.FullName, "node.json");
        await File.WriteAllTextAsync(file, """{ "nodeId": 0, "client": { "prot": 18081 }, "limits": { "bodySize": "9GiB" } }""");

        var run = await ProgramRun.DledgerAsync("serve", "--config", file);
        directory.Delete(recursive: true);

        Assert.Equal(2, run.ExitCode);
        Assert.Contains("nodeId", run.Error);
        Assert.Contains("client.prot", run.Error);
        Assert.Contains("'client.port'", run.Error);
        Assert.Contains("limits.bodySize", run.Error);
        using var socket = new TcpClient();
        await Assert.ThrowsAnyAsync<SocketException>(() => socket.ConnectAsync("127.0.0.1", 18081));
    }

    [Fact]
    public async Task A_data_directory_in_use_is_refused()
    {
        var cluster = await clusters.GetAsync(1);

        var run = await ProgramRun.DledgerAsync(
            "dev", "--port", "0", "--data", cluster.Nodes[0].DataDirectory);

        Assert.Equal(5, run.ExitCode);
        Assert.Contains(cluster.Nodes[0].DataDirectory, run.Error);
    }

    [Fact]
    public async Task Status_names_the_leader_and_where_every_node_stands()
    {
        var cluster = await clusters.GetAsync(3);

        var status = await cluster.CommandAsync("cluster", "status", "--json");
        var table = await cluster.CommandAsync("cluster", "status");

        Assert.Equal(3, status.Json.GetProperty("nodes").GetArrayLength());
        Assert.InRange(status.Json.GetProperty("leaderId").GetInt32(), 1, 3);
        Assert.All(status.Json.GetProperty("nodes").EnumerateArray(), node =>
        {
            Assert.True(node.GetProperty("term").GetInt64() > 0);
            Assert.True(node.GetProperty("appliedPosition").GetInt64() <= node.GetProperty("commitPosition").GetInt64());
            Assert.True(node.GetProperty("commitPosition").GetInt64() <= node.GetProperty("endPosition").GetInt64());
        });
        Assert.Matches("NODE +ADDRESS +ROLE +TERM", table.Output);
    }

    [Fact]
    public async Task The_leadership_can_be_transferred()
    {
        var cluster = await clusters.GetAsync(3);
        var before = await Eventually.FindAsync("a leader", Patience, cluster.FindLeaderAsync);
        var target = cluster.Nodes.First(node => node.Id != before.Id);

        await cluster.CommandAsync("cluster", "transfer", "--to", $"{target.Id}");
        await Eventually.TrueAsync(
            "the other node leads", Patience, async () => (await cluster.FindLeaderAsync())?.Id == target.Id);
    }

    [Fact]
    public async Task A_log_can_be_verified_and_dumped_and_a_flipped_bit_is_found()
    {
        await using var cluster = await NodeCluster.StartAsync(1);
        await cluster.CommandAsync("topic", "create", "sound");
        await cluster.CommandAsync("produce", "sound", "some body to be damaged", "--count", "50");
        await cluster.Nodes[0].StopAsync(Patience);
        var data = cluster.Nodes[0].DataDirectory;

        var sound = await ProgramRun.DledgerAsync("log", "verify", data, "--json");
        var dump = await ProgramRun.DledgerAsync("log", "dump", data);
        FlipBit(data, "some body to be damaged"u8.ToArray());
        var damaged = await ProgramRun.DledgerAsync("log", "verify", data);

        Assert.True(sound.ExitCode == 0, sound.Error);
        Assert.True(sound.Json.GetProperty("recordCount").GetInt64() >= 50);
        Assert.Contains("Message, ", dump.Output);
        Assert.Equal(6, damaged.ExitCode);
    }

    [Fact]
    public async Task A_node_whose_log_is_damaged_neither_serves_nor_hides_it()
    {
        await using var cluster = await NodeCluster.StartAsync(1);
        await cluster.CommandAsync("topic", "create", "sound");
        await cluster.CommandAsync("produce", "sound", "some body to be damaged", "--count", "50");
        await cluster.Nodes[0].StopAsync(Patience);
        FlipBit(cluster.Nodes[0].DataDirectory, "some body to be damaged"u8.ToArray());

        cluster.Nodes[0].Start();
        var state = await Eventually.FindAsync("the node says that it is damaged", Patience, async () =>
        {
            var status = await cluster.RunAsync("cluster", "status", "--json", "--wait", "0");
            return status.ExitCode == 0 ? status.Json.GetProperty("nodes")[0].GetProperty("state").GetString() : null;
        });
        var refused = await cluster.RunAsync("produce", "sound", "more", "--wait", "1");

        Assert.Contains("corrupt", state);
        Assert.NotEqual(0, refused.ExitCode);
    }

    [GeneratedRegex(@"^  \S+ (produce|consume) .*$", RegexOptions.Multiline)]
    private static partial Regex PastedCommand();

    private static Task<ProgramRun> ShellAsync(string command, string directory) =>
        ProgramRun.RunAsync("/bin/sh", ["-c", command], "", directory, Patience);

    /// <summary>Damages the first place in the log files where some bytes stand.</summary>
    private static void FlipBit(string directory, byte[] pattern)
    {
        foreach (var file in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var bytes = File.ReadAllBytes(file);
            var at = bytes.AsSpan().IndexOf(pattern);
            if (at >= 0)
            {
                bytes[at + 3] ^= 0x10;
                File.WriteAllBytes(file, bytes);
                return;
            }
        }

        Assert.Fail($"no file under {directory} holds the message");
    }

    private static Task WaitForMinimaAsync(NodeCluster cluster, string topic, long sum) => Eventually.TrueAsync(
        $"the first {sum} messages of {topic} are gone", Patience, async () => await MinimaAsync(cluster, topic) == sum);

    private static async Task<long> MinimaAsync(NodeCluster cluster, string topic)
    {
        var described = await cluster.CommandAsync("topic", "describe", topic, "--json");
        return described.Json.GetProperty("queues").EnumerateArray().Sum(queue => queue.GetProperty("minOffset").GetInt64());
    }

    private async Task<string> NewTopicAsync(NodeCluster cluster)
    {
        var topic = clusters.NewName("lines");
        await cluster.CommandAsync("topic", "create", topic, "--queues", "2");
        await cluster.CommandAsync("group", "create", topic);
        return topic;
    }
}
