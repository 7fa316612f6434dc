using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;
using Dledger.Client.Connections;
using Dledger.Client.Lookups;

namespace Dledger.Cli.Commands.Lookups;

/// <summary><c>dledger message tail</c>: prints what a topic gets, by plain reads: no group's place changes.</summary>
internal static class MessageTailCommand
{
    private const int PageMax = 100;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    public static Command Create(Terminal terminal)
    {
        var topic = new Argument<string>("topic") { Description = "The topic." };
        var from = new Option<string?>("--from") { Description = "Begin at this time; else with what comes now.", HelpName = "time" };
        var beginning = new Option<bool>("--beginning") { Description = "Begin with the oldest message." };
        var untilEnd = new Option<bool>("--until-end") { Description = "End at the present end; else go on until Ctrl+C." };
        return new Command("tail", "Print the messages of a topic as they come, without a group.")
        {
            topic, from, beginning, untilEnd,
        }.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
        {
            var start = result.GetValue(beginning)
                ? DateTimeOffset.UnixEpoch
                : TimeArgument.Parse(result.GetValue(from), "--from");
            try
            {
                await FollowAsync(
                    channel, terminal, result.GetValue(topic)!, start, result.GetValue(untilEnd), isJson, cancellationToken);
            }
            catch (OperationCanceledException) when (!result.GetValue(untilEnd))
            {
                // Following ends when it is stopped; that is no fault.
            }

            return ExitCode.Ok;
        });
    }

    private static async Task FollowAsync(
        DledgerChannel channel,
        Terminal terminal,
        string topic,
        DateTimeOffset? start,
        bool endsAtEnd,
        bool isJson,
        CancellationToken cancellationToken)
    {
        var client = new LookupClient(channel);
        var described = await new AdminClient(channel).DescribeTopicAsync(topic, cancellationToken);
        var next = new SortedDictionary<int, long>();
        foreach (var queue in described.Queues)
        {
            next[queue.QueueId] = start is { } time
                ? await client.FindOffsetAsync(topic, queue.QueueId, time, cancellationToken)
                : queue.MaxOffset;
        }

        while (true)
        {
            var count = 0;
            foreach (var (queueId, offset) in next.ToList())
            {
                var found = await client.ReadAsync(topic, queueId, offset, PageMax, cancellationToken);
                foreach (var message in found.Messages)
                {
                    if (isJson)
                    {
                        JsonText.Write(terminal.Output, LookupAnswer.Of(message));
                    }
                    else
                    {
                        terminal.Output.WriteLine(LookupAnswer.Line(message));
                    }

                    next[queueId] = message.Offset + 1;
                    count++;
                }
            }

            await terminal.Output.FlushAsync(cancellationToken);
            if (count == 0)
            {
                if (endsAtEnd)
                {
                    return;
                }

                await Task.Delay(Pause, cancellationToken);
            }
        }
    }
}
