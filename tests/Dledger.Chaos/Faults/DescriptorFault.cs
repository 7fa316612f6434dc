using System.Globalization;
using System.Net.Sockets;
using Dledger.Chaos.Clusters;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Faults;

/// <summary>F23: a node runs with few file descriptors and more connections come than it has. It must refuse them and live.
/// </summary>
/// <remarks>Below some 400 descriptors the runtime itself aborts (exit code 134), whatever the program does.</remarks>
internal sealed class DescriptorFault : IFault
{
    private const int Limit = 1024;
    private const int FloodCount = 1500;
    private const int GrowthMin = 200;

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromMilliseconds(200);

    private readonly List<Socket> _flood = [];
    private ChaosNode? _node;
    private int _before;
    private int _most;

    public async Task StartAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _node = await round.FollowerAsync(cancellationToken);
        await _node.KillAsync();
        _node.Start("prlimit", $"--nofile={Limit}:{Limit}");
        await Wait.UntilAsync(StartPatience, round.Cluster.IsWholeAsync, cancellationToken);
        _before = Count();
        for (var i = 0; i < FloodCount; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            _flood.Add(socket);
            try
            {
                await socket.ConnectAsync(_node.Place.Host, _node.Place.ClientPort, cancellationToken).AsTask()
                    .WaitAsync(ConnectPatience, cancellationToken);
            }
            catch (Exception exception) when (exception is SocketException or TimeoutException)
            {
                break;
            }

            _most = i % 50 == 0 ? Math.Max(_most, Count()) : _most;
        }
    }

    public Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken)
    {
        _most = Math.Max(_most, Count());
        round.Proof["openBefore"] = _before;
        round.Proof["openAtMost"] = _most;
        round.Proof["tried"] = _flood.Count;
        return Task.FromResult(_most - _before >= GrowthMin);
    }

    public async Task HealAsync(FaultRound round)
    {
        _flood.ForEach(socket => socket.Dispose());
        if (_node is { } node)
        {
            await node.KillAsync();
            node.Start();
        }
    }

    private int Count()
    {
        var folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{_node!.ProcessId}/fd");
        return Directory.Exists(folder) ? Directory.GetFiles(folder).Length : 0;
    }
}
