using Dledger.Primitives;
using Dledger.Server.Options;

namespace Dledger.Server.Tests.Options;

public sealed class ServerOptionsReaderTests : IDisposable
{
    private static readonly Dictionary<string, string> Nothing = [];

    private readonly string _file = Path.Combine(Path.GetTempPath(), $"dledger-options-{Guid.NewGuid():N}.json");

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void Without_any_source_the_options_are_those_of_one_node()
    {
        var options = ServerOptionsReader.Load(null, Nothing, Nothing);

        Assert.Equal(new ServerOptions() with { Nodes = options.Nodes }, options);
        Assert.Empty(options.Nodes);
        Assert.Equal(8081, options.Client.Port);
    }

    [Fact]
    public void A_file_with_comments_and_trailing_commas_sets_every_kind_of_key()
    {
        File.WriteAllText(_file, """
            {
              // three nodes
              "nodeId": 2,
              "dataDirectory": "/data",
              "storage": { "flushMode": "quorum_async", "segmentSize": "64 MiB" },
              "topics": { "autoCreate": true, "queueCount": 4 },
              "limits": { "longPoll": "1500ms", "bodySize": 65536, },
              "nodes": [
                { "id": 1, "host": "a", "peerPort": 9001 },
                { "id": 2, "host": "b", "peerPort": 9001, "clientHost": "b.example", "clientPort": 7000 },
              ],
            }
            """);

        var options = ServerOptionsReader.Load(_file, Nothing, Nothing);

        Assert.Equal(new NodeId(2), options.NodeId);
        Assert.Equal(FlushPolicy.QuorumAsync, options.Storage.FlushMode);
        Assert.Equal(64L << 20, options.Storage.SegmentBytes);
        Assert.True(options.Topics.AutoCreateTopics);
        Assert.Equal(4, options.Topics.QueueCountDefault);
        Assert.Equal(TimeSpan.FromMilliseconds(1500), options.Limits.LongPollMax);
        Assert.Equal(65_536, options.Limits.BodyBytesMax);
        Assert.Equal(new NodeAddress(new NodeId(1), "a", 9001, "a", 8081), options.Nodes[0]);
        Assert.Equal(new NodeAddress(new NodeId(2), "b", 9001, "b.example", 7000), options.Nodes[1]);
    }

    [Fact]
    public void A_node_of_a_cluster_listens_where_clients_are_told_unless_it_says_otherwise()
    {
        var cluster = new Dictionary<string, string>
        {
            ["nodes.0.id"] = "1",
            ["nodes.0.host"] = "a",
            ["nodes.0.peerPort"] = "9001",
            ["nodes.0.clientPort"] = "7000",
        };

        var told = ServerOptionsReader.Load(null, Nothing, cluster);
        cluster["client.port"] = "7001";
        var said = ServerOptionsReader.Load(null, Nothing, cluster);

        Assert.Equal(7000, told.Client.Port);
        Assert.Equal(7001, said.Client.Port);
    }

    [Fact]
    public void The_environment_beats_the_file_and_the_command_line_beats_both()
    {
        File.WriteAllText(_file, """{ "client": { "port": 1001, "connectionsMax": 11 }, "dataDirectory": "file" }""");
        var environment = new Dictionary<string, string>
        {
            ["DLEDGER__CLIENT__PORT"] = "1002",
            ["DLEDGER__dataDirectory"] = "environment",
            ["DLEDGER_HOME"] = "none of ours",
        };
        var overrides = new Dictionary<string, string> { ["Client.Port"] = "1003" };

        var options = ServerOptionsReader.Load(_file, environment, overrides);

        Assert.Equal(1003, options.Client.Port);
        Assert.Equal("environment", options.DataDirectory);
        Assert.Equal(11, options.Client.ConnectionsMax);
    }

    [Fact]
    public void Every_problem_of_every_source_is_reported_at_once_with_key_place_and_range()
    {
        File.WriteAllText(_file, """{ "client": { "prot": 8081, "tls": "maybe" }, "limits": { "longPoll": "20" } }""");
        var environment = new Dictionary<string, string> { ["DLEDGER__STORAGE__SEGMENTSIZE"] = "1GB" };
        var overrides = new Dictionary<string, string> { ["client.port"] = "70000", ["raft.heartbeat"] = "400ms" };

        var exception = Assert.Throws<ServerOptionsException>(
            () => ServerOptionsReader.Load(_file, environment, overrides));

        Assert.Equal(6, exception.Problems.Count);
        Assert.Contains($"client.prot (in {_file}): is not a key; the nearest is 'client.port'", exception.Problems);
        Assert.Contains($"client.tls (in {_file}): 'maybe' is none of optional, off, required", exception.Problems);
        Assert.Contains(
            $"limits.longPoll (in {_file}): '20' is not a time such as 500ms, 20s or 5m; allowed: 1s..20s",
            exception.Problems);
        Assert.Contains(
            "STORAGE.SEGMENTSIZE (in environment variable DLEDGER__STORAGE__SEGMENTSIZE): '1GB' is not a size such as "
                + "4096, 64KiB or 1GiB; allowed: 8MiB..4GiB",
            exception.Problems.Select(
                problem => problem.Replace("storage.segmentSize", "STORAGE.SEGMENTSIZE", StringComparison.Ordinal)));
        Assert.Contains("client.port (in command line): '70000' is outside 0..65535", exception.Problems);
        Assert.Contains("raft.heartbeat: must be at most a sixth of raft.electionTimeoutMin", exception.Problems);
        Assert.All(
            exception.Problems, problem => Assert.Contains(problem, exception.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{ \"nodeId\": ", "is not JSON")]
    [InlineData("[1]", "must hold one JSON object")]
    [InlineData("{ \"nodeId\": 1, \"NodeId\": 2 }", "is set twice")]
    [InlineData("{ \"client\": 5 }", "is not a key")]
    [InlineData("{ \"nodes\": [ 5 ] }", "is not a key")]
    public void A_malformed_file_is_a_problem_and_not_a_crash(string text, string expected)
    {
        File.WriteAllText(_file, text);

        var exception = Assert.Throws<ServerOptionsException>(() => ServerOptionsReader.Load(_file, Nothing, Nothing));

        Assert.Contains(exception.Problems, problem => problem.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_is_not_there_is_a_problem()
    {
        var exception = Assert.Throws<ServerOptionsException>(() => ServerOptionsReader.Load(_file, Nothing, Nothing));

        Assert.Contains("cannot be read", Assert.Single(exception.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void The_budget_of_keys_holds_and_each_says_what_it_means()
    {
        Assert.InRange(OptionKeys.All.Count, 1, 40);
        Assert.Equal(OptionKeys.All.Count, OptionKeys.All.DistinctBy(key => key.Name.ToUpperInvariant()).Count());
        Assert.All(OptionKeys.All, key =>
        {
            Assert.NotEmpty(key.Meaning);
            Assert.NotEmpty(key.Range);
        });
    }

    [Fact]
    public void Every_published_key_is_one_that_the_list_of_all_keys_holds()
    {
        var published = typeof(OptionKeys).GetFields()
            .Where(field => field.FieldType == typeof(OptionKey))
            .Select(field => (OptionKey)field.GetValue(null)!);

        Assert.Equal(
            published.Select(key => key.Name).Order(StringComparer.Ordinal),
            OptionKeys.All.Select(key => key.Name).Order(StringComparer.Ordinal));
    }
}
