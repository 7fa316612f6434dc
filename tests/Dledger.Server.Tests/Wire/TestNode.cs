using Dledger.Frontend;
using Dledger.Server.Options;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dledger.Server.Tests.Wire;

/// <summary>One whole node in a directory of its own, on a free port, with a client.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private readonly bool _ownsDirectory;

    private TestNode(DledgerServer server, string directory, bool ownsDirectory)
    {
        Server = server;
        Directory = directory;
        _ownsDirectory = ownsDirectory;
        Client = new TestClient(server.ClientPort);
    }

    public DledgerServer Server { get; }

    public string Directory { get; }

    public TestClient Client { get; }

    /// <summary>Starts a node alone that creates what is asked for.</summary>
    /// <param name="change">What this test is about.</param>
    /// <param name="adjust">What the front end shall do differently.</param>
    /// <param name="directory">An existing one, kept afterwards; null: a new one.</param>
    public static async Task<TestNode> StartAsync(
        Func<ServerOptions, ServerOptions>? change = null,
        Func<FrontendOptions, FrontendOptions>? adjust = null,
        string? directory = null)
    {
        var data = directory ?? Path.Combine(Path.GetTempPath(), $"dledger-node-{Guid.NewGuid():N}");
        var options = new ServerOptions
        {
            DataDirectory = data,
            Client = new ClientOptions { ListenAddress = "127.0.0.1", Port = 0 },
            Storage = new StorageOptions { SegmentBytes = 16 << 20 },
            Topics = new TopicOptions { AutoCreateTopics = true, AutoCreateGroups = true, QueueCountDefault = 4 },
        };
        var server = await DledgerServer.StartAsync(
            change is null ? options : change(options),
            adjust ?? (frontend => frontend),
            NullLoggerFactory.Instance,
            TimeProvider.System,
            CancellationToken.None);
        return new TestNode(server, data, directory is null);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        if (_ownsDirectory)
        {
            System.IO.Directory.Delete(Directory, recursive: true);
        }
    }
}
