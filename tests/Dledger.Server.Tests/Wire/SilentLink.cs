using System.Net;
using System.Net.Sockets;

namespace Dledger.Server.Tests.Wire;

/// <summary>A way to a node on which everything is lost from some moment on, while its connections stay open: a frozen host, a cut cable.</summary>
internal sealed class SilentLink : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<TcpClient> _connections = [];
    private readonly int _nodePort;
    private readonly Task _accepting;
    private volatile bool _isSilent;

    public SilentLink(int nodePort)
    {
        _nodePort = nodePort;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void FallSilent() => _isSilent = true;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _connections.ForEach(connection => connection.Dispose());
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                var node = new TcpClient();
                _connections.AddRange([client, node]);
                await node.ConnectAsync(IPAddress.Loopback, _nodePort, _stop.Token);
                _ = PumpAsync(client.GetStream(), node.GetStream());
                _ = PumpAsync(node.GetStream(), client.GetStream());
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[16 << 10];
        try
        {
            while (await from.ReadAsync(buffer, _stop.Token) is > 0 and var count)
            {
                if (!_isSilent)
                {
                    await to.WriteAsync(buffer.AsMemory(0, count), _stop.Token);
                }
            }
        }
        catch (Exception fault) when (fault is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // Closed by either side, or by the test.
        }
    }
}
