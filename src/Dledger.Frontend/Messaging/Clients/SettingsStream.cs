using System.Threading.Channels;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Messaging.Transactions;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Clients;

/// <summary>The server's half of one telemetry stream: answers, repeats of the newest one, and commands. One writer at a
/// time.</summary>
internal sealed class SettingsStream(
    ClientCall call,
    string peer,
    IServerStreamWriter<Wire.TelemetryCommand> responses,
    FrontendOptions options,
    TimeProvider time) : IProducerStream, IClientStream, IDisposable
{
    /// <summary>Commands that wait to be written; further ones are refused.</summary>
    private const int CommandsMax = 64;

    private readonly SemaphoreSlim _writing = new(1);
    private readonly Channel<Wire.TelemetryCommand> _commands = Channel.CreateBounded<Wire.TelemetryCommand>(
        new BoundedChannelOptions(CommandsMax) { SingleReader = true });

    private Wire.TelemetryCommand? _newest;
    private Task _repeating = Task.CompletedTask;

    /// <summary>Answers at once; after the first answer also at the times of the options.</summary>
    public async Task AnswerAsync(Wire.TelemetryCommand command, CancellationToken cancellationToken)
    {
        var isFirst = _newest is null;
        Volatile.Write(ref _newest, command);
        await WriteAsync(command, cancellationToken);
        if (isFirst)
        {
            _repeating = Task.WhenAll(RepeatAsync(cancellationToken), SendAsync(cancellationToken));
        }
    }

    /// <inheritdoc/>
    public string ClientId => call.ClientId;

    /// <inheritdoc/>
    public string Namespace => call.Namespace;

    /// <inheritdoc/>
    public string Address { get; } = PeerText.AddressOf(peer);

    /// <inheritdoc/>
    public bool TrySend(Wire.TelemetryCommand command) => _commands.Writer.TryWrite(command);

    /// <summary>Waits for the repeats and commands to end. The caller has cancelled them.</summary>
    public Task CloseAsync()
    {
        _commands.Writer.TryComplete();
        return _repeating;
    }

    public void Dispose() => _writing.Dispose();

    private async Task RepeatAsync(CancellationToken cancellationToken)
    {
        try
        {
            var passed = TimeSpan.Zero;
            foreach (var at in options.SettingsRepeats)
            {
                await Task.Delay(at - passed, time, cancellationToken);
                passed = at;
                await WriteAsync(Volatile.Read(ref _newest)!, cancellationToken);
            }
        }
        catch (Exception exception) when (exception
            is OperationCanceledException or RpcException or InvalidOperationException or IOException)
        {
            // The stream has ended; whoever reads it notices by itself.
        }
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var command in _commands.Reader.ReadAllAsync(cancellationToken))
            {
                await WriteAsync(command, cancellationToken);
            }
        }
        catch (Exception exception) when (exception
            is OperationCanceledException or RpcException or InvalidOperationException or IOException)
        {
            // The stream has ended; whoever reads it notices by itself.
        }
    }

    private async Task WriteAsync(Wire.TelemetryCommand command, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            await responses.WriteAsync(command, cancellationToken);
        }
        finally
        {
            _writing.Release();
        }
    }
}
