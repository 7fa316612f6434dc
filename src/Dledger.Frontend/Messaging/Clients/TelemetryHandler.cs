using Dledger.Frontend.Calls;
using Dledger.Frontend.Messaging.Lites;
using Dledger.Frontend.Messaging.Transactions;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Clients;

/// <summary>Serves the telemetry stream of a client for its whole life.</summary>
/// <remarks>
/// Answered by the node that the client reached, without a look at the leader: clients wait here before they start. The
/// headers leave at once, an answer follows each settings frame, and the first one is repeated. Frames that answer
/// nothing that was asked are ignored. The stream ends with OK when the client closes its side, with INVALID_ARGUMENT when its
/// settings break a rule, and with UNAVAILABLE when the node drains.
/// </remarks>
internal sealed class TelemetryHandler(
    SettingsAnswer answers,
    FrontendOptions options,
    ProducerRegistry producers,
    ConnectedClients clients,
    LiteClients lites,
    Draining draining,
    TimeProvider time,
    ILogger logger)
{
    private int _openCount;

    /// <summary>Streams that are open now.</summary>
    public int OpenCount => Volatile.Read(ref _openCount);

    public async Task HandleAsync(
        ClientCall call,
        IAsyncStreamReader<Wire.TelemetryCommand> requests,
        IServerStreamWriter<Wire.TelemetryCommand> responses,
        ServerCallContext context)
    {
        await context.WriteResponseHeadersAsync([]);
        if (CallRules.CheckClient(call) is { } violation)
        {
            await responses.WriteAsync(new Wire.TelemetryCommand { Status = StatusMapping.Of(violation) });
            return;
        }

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken, draining.Token);
        using var stream = new SettingsStream(call, context.Peer, responses, options, time);
        Interlocked.Increment(ref _openCount);
        try
        {
            await ReadAsync(call, requests, stream, stop.Token);
        }
        catch (OperationCanceledException) when (draining.Token.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "the node is stopping; connect to another one"));
        }
        finally
        {
            Interlocked.Decrement(ref _openCount);
            producers.Remove(stream);
            clients.Remove(stream);
            lites.RemoveStream(stream);
            await stop.CancelAsync();
            await stream.CloseAsync();
            FrontendEvents.TelemetryEnded(logger, call.ClientId);
        }
    }

    private async Task ReadAsync(
        ClientCall call,
        IAsyncStreamReader<Wire.TelemetryCommand> requests,
        SettingsStream stream,
        CancellationToken cancellationToken)
    {
        while (await requests.MoveNext(cancellationToken))
        {
            var frame = requests.Current;
            if (frame.CommandCase != Wire.TelemetryCommand.CommandOneofCase.Settings)
            {
                clients.Answer(stream, frame);
                continue;
            }

            if (SettingsAnswer.Check(call, frame.Settings) is { } violation)
            {
                throw new RpcException(new Status(
                    StatusCode.InvalidArgument, $"{StatusMapping.CodeOf(violation.Rule)}: {violation.Detail}"));
            }

            FrontendEvents.TelemetryOpened(logger, call.ClientId, frame.Settings.ClientType);
            if (frame.Settings.PubSubCase == Wire.Settings.PubSubOneofCase.Publishing)
            {
                producers.Settings(stream, frame.Settings.Publishing.Topics.Select(topic => ResourceNames.Of(topic, call)));
            }

            clients.Settings(stream, frame.Settings);
            if (frame.Settings.ClientType is Wire.ClientType.LitePushConsumer or Wire.ClientType.LiteSimpleConsumer)
            {
                lites.AddStream(stream);
            }

            await stream.AnswerAsync(answers.Create(call, frame.Settings), cancellationToken);
        }
    }
}
