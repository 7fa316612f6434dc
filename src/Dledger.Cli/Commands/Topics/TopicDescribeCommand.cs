using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Topics;

/// <summary><c>dledger topic describe</c></summary>
internal static class TopicDescribeCommand
{
    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "The topic." };
        return new Command("describe", "Show a topic and the offsets of its queues.") { name }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var topic = await new AdminClient(channel).DescribeTopicAsync(result.GetValue(name)!, cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, topic);
                    return ExitCode.Ok;
                }

                var stored = topic.Queues.Sum(queue => queue.MaxOffset - queue.MinOffset);
                terminal.Output.WriteLine(
                    $"topic {topic.Name}: {topic.QueueCount} queues, takes {string.Join(", ", topic.MessageTypes)}, holds {stored} messages"
                    + RetentionArguments.Describe(topic.RetentionTime, topic.RetentionBytes)
                    + IdWindowArguments.Describe(topic.IdWindowTime, topic.IdWindowCount)
                    + QuotaArguments.Describe("takes", topic.ProduceMessagesPerSecond, topic.ProduceBytesPerSecond)
                    + LiteArguments.Describe(topic));
                terminal.WriteTable(["QUEUE", "MIN OFFSET", "MAX OFFSET", "MESSAGES"], topic.Queues.Select(queue =>
                    (string[])
                    [
                        Text(queue.QueueId), Text(queue.MinOffset), Text(queue.MaxOffset), Text(queue.MaxOffset - queue.MinOffset),
                    ]));
                return ExitCode.Ok;
            });
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
