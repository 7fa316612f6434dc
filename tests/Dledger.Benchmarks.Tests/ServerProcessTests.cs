using Dledger.Benchmarks.Servers;
using Dledger.Chaos.Machines;

namespace Dledger.Benchmarks.Tests;

/// <summary>Servers of a run, with programs of the shell in their place.</summary>
public sealed class ServerProcessTests
{
    [Fact]
    public async Task A_server_is_gone_after_its_end()
    {
        await using var undertaker = Undertaker.Start("dledger-bench-tests-");
        var server = Start(undertaker, "exec sleep 600");
        var process = server.Id;

        await server.DisposeAsync();

        Assert.False(Directory.Exists($"/proc/{process}"));
    }

    [Fact]
    public async Task A_server_does_not_outlive_the_run_that_forgot_it()
    {
        int process;
        await using (var undertaker = Undertaker.Start("dledger-bench-tests-"))
        {
            process = Start(undertaker, "exec sleep 600").Id;
        }

        Assert.True(await Wait.UntilAsync(TimeSpan.FromSeconds(20), () => HasEnded(process), CancellationToken.None));
    }

    [Fact]
    public async Task A_cluster_that_loses_a_node_at_its_start_says_what_the_node_said()
    {
        await using var undertaker = Undertaker.Start("dledger-bench-tests-");
        await using var cluster = new OneNode(Start(undertaker, "echo port 4222 is taken; exit 1"));

        var refusal = await Assert.ThrowsAsync<ServerException>(() => StartUp.WaitAsync(
            cluster, TimeSpan.FromSeconds(60), () => Task.FromResult(false), CancellationToken.None));

        Assert.Contains("port 4222 is taken", refusal.Message, StringComparison.Ordinal);
    }

    private static ServerProcess Start(Undertaker undertaker, string script) => ServerProcess.Start(
        "server", ["sh", "-c", script], new Dictionary<string, string>(), Path.Combine(undertaker.Directory, "log"), undertaker);

    private static bool HasEnded(int process) =>
        !File.Exists($"/proc/{process}/stat") || File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);

    private sealed class OneNode(ServerProcess node) : IServerCluster
    {
        public IReadOnlyList<ServerProcess> Nodes => [node];

        public ValueTask DisposeAsync() => node.DisposeAsync();
    }
}
