using Dledger.Primitives;
using Dledger.Server.Options;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dledger.Server.Tests;

public sealed class LeaderRehearsalTests : IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"dledger-rehearsal-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    [Fact]
    public async Task It_leads_and_leaves_nothing_behind()
    {
        var options = Options(_directory);
        Directory.CreateDirectory(LeaderRehearsal.DirectoryOf(options));
        await File.WriteAllTextAsync(Path.Combine(LeaderRehearsal.DirectoryOf(options), "meta"), "of a start that was killed");

        Assert.True(await Make(options).RunAsync());

        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
    }

    [Fact]
    public async Task Where_it_cannot_write_it_only_says_so()
    {
        Directory.CreateDirectory(_directory);
        var file = Path.Combine(_directory, "file");
        await File.WriteAllTextAsync(file, "");

        Assert.False(await Make(Options(Path.Combine(file, "data"))).RunAsync());
    }

    [Fact]
    public async Task A_node_that_stops_does_not_wait_for_it()
    {
        var rehearsal = Make(Options(_directory));
        rehearsal.Stop();

        Assert.False(await rehearsal.RunAsync());
        Assert.False(Directory.Exists(LeaderRehearsal.DirectoryOf(Options(_directory))));
    }

    private static LeaderRehearsal Make(ServerOptions options) => new(options, TimeProvider.System, NullLogger.Instance);

    private static ServerOptions Options(string directory) => new() { NodeId = new NodeId(1), DataDirectory = directory };
}
