using System.Text.Json;

namespace Dledger.Cli.Tests;

/// <summary><c>dledger bench</c> against a whole node, each workload for a moment.</summary>
public sealed class BenchCommandTests : NodeCommandTests
{
    // Without a warm-up the first call is counted, however long it takes.
    private static readonly string[] Short = ["--duration", "300ms", "--warm-up", "0"];

    [Theory]
    [InlineData("produce", "--in-flight 4 --topics 2 --batch 3", "produce")]
    [InlineData("produce", "--in-flight 4 --rate 200", "produce")]
    [InlineData("end-to-end", "--rate 100 --consumers 2", "produce,end to end")]
    [InlineData("many-topics", "--in-flight 4 --topics 5 --rounds 1", "produce,produce,produce")]
    [InlineData("backlog", "--in-flight 4 --consumers 2 --backlog-size 64KiB", "produce,produce,produce,backlog")]
    public async Task A_workload_that_sends_is_measured_and_leaves_nothing_behind(string workload, string options, string loads)
    {
        var report = await BenchAsync([workload, .. options.Split(' '), .. Short]);

        AssertMeasured(report, loads.Split(','));
        await AssertNothingIsLeftAsync();
    }

    [Theory]
    [InlineData("consume", "--messages 200 --consumers 2", "consume")]
    [InlineData("redelivery", "--messages 50 --consumers 2 --returns 1", "deliveries")]
    [InlineData("consume", "--api stream --messages 200 --consumers 2 --receive-count 256", "consume")]
    [InlineData("read", "--api stream --messages 200 --consumers 2", "read")]
    [InlineData("redelivery", "--api stream --messages 50 --consumers 1 --returns 1", "deliveries")]
    public async Task A_workload_that_only_receives_is_measured_and_leaves_nothing_behind(string workload, string options, string loads)
    {
        var report = await BenchAsync([workload, .. options.Split(' '), "--duration", "30s"]);

        AssertMeasured(report, loads.Split(','));
        await AssertNothingIsLeftAsync();
    }

    [Theory]
    [InlineData("mixed", "--in-flight 4 --consumers 2", "produce,consume")]
    [InlineData("mixed", "--api stream --in-flight 4 --consumers 2", "produce,consume")]
    [InlineData("fan-out", "--in-flight 2 --consumers 1 --groups 2", "produce,group 1,group 2")]
    public async Task A_workload_that_sends_and_receives_is_measured_and_leaves_nothing_behind(
        string workload, string options, string loads)
    {
        var report = await BenchAsync([workload, .. options.Split(' '), "--duration", "3s", "--warm-up", "0"]);

        AssertMeasured(report, loads.Split(','));
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task Messages_are_sent_over_streams_when_that_is_asked_for()
    {
        var report = await BenchAsync(["produce", "--api", "stream", "--in-flight", "4", "--batch", "10", .. Short]);

        AssertMeasured(report, ["produce"]);
        Assert.Equal("dledger stream", report.GetProperty("runs")[0].GetProperty("target").GetString());
    }

    [Theory]
    [InlineData("lz4", "dledger stream, LZ4")]
    [InlineData("zlib", "dledger stream, ZLIB")]
    public async Task Batches_are_compressed_when_that_is_asked_for(string compression, string target)
    {
        var before = await LogEndAsync();

        var report = await BenchAsync(
            ["produce", "--api", "stream", "--in-flight", "4", "--batch", "10", "--compression", compression, "--repetition", "80", .. Short]);

        AssertMeasured(report, ["produce"]);
        var run = report.GetProperty("runs")[0];
        Assert.Equal(target, run.GetProperty("target").GetString());
        var messages = run.GetProperty("phases")[0].GetProperty("loads")[0].GetProperty("messages").GetInt64();
        Assert.True(
            (await LogEndAsync() - before) / messages < 512, $"{messages} messages of 1 KiB took {await LogEndAsync() - before} bytes");
    }

    [Fact]
    public async Task Only_batches_of_streams_are_compressed()
    {
        var run = await RunAsync(["bench", "produce", "--compression", "lz4", .. Short]);

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains("--compression is for streams of batches", run.Error, StringComparison.Ordinal);
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task What_an_interface_cannot_do_is_refused_before_anything_is_made()
    {
        var run = await RunAsync("bench", "read", "--api", "v2");

        Assert.Equal(ExitCode.Usage, run.ExitCode);
        Assert.Contains("does not offer", run.Error, StringComparison.Ordinal);
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task All_workloads_report_one_after_another_with_a_line_each()
    {
        var json = Path.Combine(Folder, "all.json");

        var run = await RunAsync(
            "bench", "all", "--messages", "1000", "--duration", "1s", "--warm-up", "0", "--backlog-size", "64KiB", "--size", "100", "--output", json);

        Assert.True(run.ExitCode == ExitCode.Ok, run.Error);
        Assert.Equal(
            ["produce", "produce", "consume", "consume", "read", "end-to-end", "end-to-end", "mixed", "fan-out", "many-topics", "redelivery", "backlog"],
            (await File.ReadAllLinesAsync(json)).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("workload").GetString()));
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task Every_size_with_every_number_in_flight_is_a_run()
    {
        var report = await BenchAsync(["produce", "--size", "100,1KiB", "--in-flight", "1,2", .. Short]);

        Assert.Equal(
            [(100, 1), (100, 2), (1024, 1), (1024, 2)],
            report.GetProperty("runs").EnumerateArray().Select(run => run.GetProperty("options"))
                .Select(options => (options.GetProperty("bodyBytes").GetInt32(), options.GetProperty("inFlight").GetInt32())));
    }

    [Fact]
    public async Task The_report_names_the_cluster_what_an_ack_means_the_machine_and_the_command()
    {
        var report = await BenchAsync(["produce", "--in-flight", "1", .. Short]);

        Assert.Equal("produce", report.GetProperty("workload").GetString());
        Assert.Equal(
            $"dledger bench produce --in-flight 1 --duration 300ms --warm-up 0 --json --address {Address}",
            report.GetProperty("commandLine").GetString());
        var cluster = report.GetProperty("cluster");
        Assert.Equal((1, "QUORUM_SYNC"), (cluster.GetProperty("nodeCount").GetInt32(), cluster.GetProperty("flushMode").GetString()));
        Assert.Equal("0.1.0", cluster.GetProperty("nodes")[0].GetProperty("version").GetString());
        var ack = report.GetProperty("runs")[0].GetProperty("ack");
        Assert.Equal(("synced", 1), (ack.GetProperty("durability").GetString(), ack.GetProperty("copies").GetInt32()));
        Assert.NotEqual("", report.GetProperty("machine").GetProperty("cpu").GetString());
    }

    [Fact]
    public async Task The_table_goes_to_the_output_the_json_into_a_file_and_a_section_behind_a_document()
    {
        var json = Path.Combine(Folder, "bench.json");
        var document = Path.Combine(Folder, "bench.md");
        await File.WriteAllTextAsync(document, "# Results\n");

        var run = await RunAsync(["bench", "produce", "--in-flight", "1", .. Short, "--output", json, "--append", document]);

        Assert.Equal(ExitCode.Ok, run.ExitCode);
        Assert.Contains("cluster of 1 nodes, QUORUM_SYNC\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("SIZE  PHASE    LOAD     IN FLIGHT  BATCH  MSG/S", run.Output, StringComparison.Ordinal);
        Assert.Equal("", run.Error);
        Assert.Equal("produce", JsonDocument.Parse(await File.ReadAllTextAsync(json)).RootElement.GetProperty("workload").GetString());
        var text = await File.ReadAllTextAsync(document);
        Assert.StartsWith("# Results\n\n### produce, ", text, StringComparison.Ordinal);
        Assert.Contains("\ndledger bench produce --in-flight 1 ", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_it_did_not_make_is_neither_used_nor_deleted_unless_that_is_asked_for()
    {
        await RunAsync("topic", "create", "bench-mine-0");
        string[] bench = ["bench", "produce", "--in-flight", "1", .. Short, "--name", "bench-mine"];

        var refused = await RunAsync(bench);
        var reused = await RunAsync([.. bench, "--reuse", "--topics", "2"]);

        Assert.Equal(ExitCode.Usage, refused.ExitCode);
        Assert.Contains("'bench-mine-0' exists already", refused.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Ok, reused.ExitCode);
        Assert.Equal(["bench-mine-0"], await TopicsAsync());
    }

    [Fact]
    public async Task What_it_made_stays_when_that_is_asked_for()
    {
        await BenchAsync(["produce", "--in-flight", "1", .. Short, "--name", "bench-kept", "--keep"]);

        Assert.Equal(["bench-kept-0"], await TopicsAsync());
    }

    private static void AssertMeasured(JsonElement report, string[] loads)
    {
        var run = Assert.Single(report.GetProperty("runs").EnumerateArray());
        var measured = run.GetProperty("phases").EnumerateArray().SelectMany(phase => phase.GetProperty("loads").EnumerateArray()).ToArray();
        Assert.Equal(loads, measured.Select(load => load.GetProperty("name").GetString()));
        Assert.All(measured, load =>
        {
            Assert.True(load.GetProperty("messages").GetInt64() > 0, load.ToString());
            Assert.True(load.GetProperty("messagesPerSecond").GetDouble() > 0, load.ToString());
            Assert.True(load.GetProperty("latency").GetProperty("p50").GetDouble() > 0, load.ToString());
            Assert.Empty(load.GetProperty("errors").EnumerateObject());
        });
    }

    private async Task<long> LogEndAsync() =>
        (await RunAsync("cluster", "status", "--json")).Json().GetProperty("nodes")[0].GetProperty("endPosition").GetInt64();

    private async Task<JsonElement> BenchAsync(string[] arguments) => (await RunAsync(["bench", .. arguments, "--json"])).Json();

    private async Task AssertNothingIsLeftAsync()
    {
        Assert.Empty(await TopicsAsync());
        Assert.Empty((await RunAsync("group", "list", "--json")).Json().GetProperty("groups").EnumerateArray());
    }

    private async Task<IReadOnlyList<string?>> TopicsAsync() =>
        [.. (await RunAsync("topic", "list", "--json")).Json().GetProperty("topics").EnumerateArray()
            .Select(topic => topic.GetProperty("name").GetString())];
}
