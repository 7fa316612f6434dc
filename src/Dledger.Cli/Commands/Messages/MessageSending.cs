using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Connections;
using Dledger.Client.Producing;

namespace Dledger.Cli.Commands.Messages;

/// <summary>Sends bodies with a bounded number of calls in flight and says what became of them.</summary>
internal sealed class MessageSending(
    DledgerChannel channel, Terminal terminal, OutgoingMessage template, bool isJson, int inFlightMax)
{
    private readonly Producer _producer = new(channel);
    private readonly Lock _printing = new();
    private long _sent;
    private SendReceipt? _last;

    /// <summary>Stops at the first fault, after the calls in flight have ended.</summary>
    public async Task<ExitCode> RunAsync(MessageBodies bodies, CancellationToken cancellationToken)
    {
        var begun = TimeProvider.System.GetTimestamp();
        try
        {
            var options = new ParallelOptions { MaxDegreeOfParallelism = inFlightMax, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(bodies.ReadAsync(cancellationToken), options, SendAsync);
        }
        finally
        {
            Summarise(TimeProvider.System.GetElapsedTime(begun));
        }

        if (_sent == 0)
        {
            throw new UsageException("There was nothing to send.", $"Write: dledger produce {template.Topic} <body>");
        }

        return ExitCode.Ok;
    }

    private async ValueTask SendAsync(byte[] body, CancellationToken cancellationToken)
    {
        var receipt = await _producer.SendAsync(template with { Body = body }, cancellationToken);
        lock (_printing)
        {
            _sent++;
            _last = receipt;
            if (isJson)
            {
                JsonText.Write(terminal.Output, receipt.RecallHandle is { } handle
                    ? new { topic = template.Topic, receipt.MessageId, template.DeliverAt, RecallHandle = handle }
                    : (object)new { topic = template.Topic, receipt.MessageId, receipt.Offset });
            }
        }
    }

    private void Summarise(TimeSpan elapsed)
    {
        if (_sent == 1 && !isJson && _last!.RecallHandle is { } handle)
        {
            terminal.Output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"message {_last.MessageId} stored in topic {template.Topic}, to be delivered at {template.DeliverAt:O}"));
            terminal.Output.WriteLine($"recall it with: dledger timer cancel {template.Topic} --handle {handle}");
        }
        else if (_sent == 1 && !isJson)
        {
            terminal.Output.WriteLine($"message {_last!.MessageId} stored in topic {template.Topic} at offset {_last.Offset}");
        }
        else if (_sent > 1)
        {
            var rate = _sent / Math.Max(elapsed.TotalSeconds, 0.001);
            (isJson ? terminal.Error : terminal.Output).WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{_sent} messages stored in topic {template.Topic} in {elapsed.TotalSeconds:0.0} s, {rate:0} per second"));
        }
    }
}
