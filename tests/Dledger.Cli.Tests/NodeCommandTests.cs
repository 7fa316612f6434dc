using Dledger.Server;
using Dledger.Server.Options;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dledger.Cli.Tests;

/// <summary>Commands against a whole node, each test with one of its own.</summary>
public abstract class NodeCommandTests : IAsyncLifetime
{
    private DledgerServer? _server;

    /// <summary>Of the node; files of a test may lie in it, too.</summary>
    protected string Folder { get; } = Path.Combine(Path.GetTempPath(), $"dledger-cli-{Guid.NewGuid():N}");

    /// <summary>Where the node listens.</summary>
    protected string Address => $"127.0.0.1:{_server!.ClientPort}";

    public async Task InitializeAsync() => _server = await DledgerServer.StartAsync(
        new ServerOptions
        {
            DataDirectory = Folder,
            Client = new ClientOptions { ListenAddress = "127.0.0.1", Port = 0 },
            Storage = new StorageOptions { SegmentBytes = 16 << 20 },
            Topics = new TopicOptions { AutoCreateTopics = true, AutoCreateGroups = true, QueueCountDefault = 1 },
        },
        NullLoggerFactory.Instance);

    public async Task DisposeAsync()
    {
        await _server!.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private protected Task<CommandRun> RunAsync(params string[] arguments) =>
        CommandRun.OfAsync([.. arguments, "--address", Address]);
}
