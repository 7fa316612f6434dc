using System.Text;
using Dledger.Cli.Output;
using Dledger.Client.Connections;
using Dledger.Client.Consuming;

namespace Dledger.Cli.Commands.Messages;

/// <summary>Receives, prints and acknowledges until there is nothing left, enough was read, or it is stopped.</summary>
internal sealed class MessageReading(DledgerChannel channel, Terminal terminal, string topic, string group)
{
    private const int BatchMax = 32;

    // Long enough that a node which has just begun to lead still finds what is there.
    private static readonly TimeSpan EmptyWait = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FollowWait = TimeSpan.FromSeconds(15);
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly SimpleConsumer _consumer = new(channel, group);
    private long _count;

    public required bool IsJson { get; init; }

    public required string TagExpression { get; init; }

    public required bool EndsWhenEmpty { get; init; }

    /// <summary>0: no limit.</summary>
    public required long CountMax { get; init; }

    public required TimeSpan InvisibleDuration { get; init; }

    public required bool Acknowledges { get; init; }

    /// <summary>Prints a message before it acknowledges it: one that was acknowledged was seen.</summary>
    public async Task<ExitCode> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (CountMax == 0 || _count < CountMax)
            {
                var messages = await _consumer.ReceiveAsync(topic, NextOptions(), cancellationToken);
                if (messages.Count == 0 && EndsWhenEmpty)
                {
                    break;
                }

                await TakeAsync(messages, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (!EndsWhenEmpty)
        {
            // Following ends when it is stopped; that is no fault.
        }
        finally
        {
            await terminal.Output.FlushAsync(CancellationToken.None);
            terminal.Error.WriteLine(
                $"{_count} message{(_count == 1 ? "" : "s")} read from topic {topic} for group {group}");
        }

        return ExitCode.Ok;
    }

    private ReceiveOptions NextOptions() => new()
    {
        CountMax = CountMax == 0 ? BatchMax : (int)Math.Min(BatchMax, CountMax - _count),
        InvisibleDuration = InvisibleDuration,
        Wait = EndsWhenEmpty ? EmptyWait : FollowWait,
        TagExpression = TagExpression,
    };

    private async Task TakeAsync(IReadOnlyList<ReceivedMessage> messages, CancellationToken cancellationToken)
    {
        foreach (var message in messages)
        {
            Print(message);
            _count++;
        }

        await terminal.Output.FlushAsync(cancellationToken);
        if (Acknowledges && messages.Count > 0)
        {
            // What was printed is acknowledged even when the reader is being stopped.
            await _consumer.AckAsync(messages, CancellationToken.None);
        }
    }

    private void Print(ReceivedMessage message)
    {
        var (text, isText) = Decode(message.Body);
        if (!IsJson)
        {
            var tag = message.Tag is null ? "" : $" [{message.Tag}]";
            terminal.Output.WriteLine($"{message.QueueId}/{message.Offset}{tag} {(isText ? text : $"({message.Body.Length} bytes)")}");
            return;
        }

        JsonText.Write(terminal.Output, new
        {
            message.MessageId,
            message.Topic,
            message.QueueId,
            message.Offset,
            message.Attempt,
            message.Tag,
            message.Keys,
            message.Properties,
            message.MessageGroup,
            message.Priority,
            Body = isText ? text : null,
            BodyBase64 = isText ? null : text,
            message.BornTime,
            message.StoreTime,
        });
    }

    /// <summary>The body as text, or in base 64 when it is not UTF-8.</summary>
    private static (string Text, bool IsText) Decode(ReadOnlyMemory<byte> body)
    {
        try
        {
            return (StrictUtf8.GetString(body.Span), true);
        }
        catch (DecoderFallbackException)
        {
            return (Convert.ToBase64String(body.Span), false);
        }
    }
}
