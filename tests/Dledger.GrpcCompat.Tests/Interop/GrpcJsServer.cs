using System.Diagnostics;
using System.Globalization;

namespace Dledger.GrpcCompat.Tests.Interop;

/// <summary>A running <c>js/server.js</c>, shared by the tests of a class.</summary>
public sealed class GrpcJsServer : IAsyncLifetime
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly NodeProject _node = new();
    private Process? _process;

    public Uri Address { get; private set; } = new("http://127.0.0.1");

    public async Task InitializeAsync()
    {
        await _node.InitializeAsync();
        _process = _node.StartScript("server.js");
        using var timeout = new CancellationTokenSource(StartTimeout);
        var line = await _process.StandardOutput.ReadLineAsync(timeout.Token);
        if (line is null || !line.StartsWith("listening ", StringComparison.Ordinal))
        {
            throw new InvalidOperationException(
                $"server.js did not start: {line}\n{await _process.StandardError.ReadToEndAsync(timeout.Token)}");
        }

        var port = int.Parse(line["listening ".Length..], CultureInfo.InvariantCulture);
        Address = new Uri($"http://127.0.0.1:{port}");
    }

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
    }
}
