using System.Globalization;
using Dledger.Server;
using Dledger.Server.Options;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dledger.MicroBenchmarks.Paths;

/// <summary>A node in a process of its own, so that what its clients allocate is not counted; answers on its standard output.</summary>
internal static class PathNode
{
    public const string Command = "garbage-node";

    /// <summary>Asks for the bytes that the process has allocated until now.</summary>
    public const string Total = "total";

    /// <summary>Asks for what was allocated most, by type, since the same question was asked before; an empty line ends the answer.</summary>
    public const string Types = "types";

    private const int TypesMax = 45;

    public static async Task<int> RunAsync()
    {
        var directory = Path.Combine(Path.GetTempPath(), $"dledger-garbage-{Guid.NewGuid():N}");
        var options = new ServerOptions
        {
            DataDirectory = directory,
            Client = new ClientOptions { ListenAddress = "127.0.0.1", Port = 0 },
            Storage = new StorageOptions { SegmentBytes = 64 << 20 },
            Topics = new TopicOptions { AutoCreateTopics = true, AutoCreateGroups = true, QueueCountDefault = 4 },
        };
        AllocationSample? sample = null;
        await using (var server = await DledgerServer.StartAsync(options, NullLoggerFactory.Instance))
        {
            Console.WriteLine(server.ClientPort.ToString(CultureInfo.InvariantCulture));
            while (await Console.In.ReadLineAsync() is { } line)
            {
                switch (line)
                {
                    case Total:
                        Console.WriteLine(GC.GetTotalAllocatedBytes(precise: true).ToString(CultureInfo.InvariantCulture));
                        break;
                    case Types:
                        foreach (var text in sample?.Take(TypesMax) ?? [])
                        {
                            Console.WriteLine(text);
                        }

                        sample ??= new AllocationSample();
                        Console.WriteLine();
                        break;
                    default:
                        break;
                }
            }
        }

        sample?.Dispose();
        Directory.Delete(directory, recursive: true);
        return 0;
    }
}
