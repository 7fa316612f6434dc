using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Groups;

/// <summary><c>dledger group seek</c></summary>
internal static class GroupSeekCommand
{
    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "The group." };
        var topic = new Option<string>("--topic", "-t") { Description = "The topic.", Required = true };
        var queue = new Option<int?>("--queue", "-q") { Description = "One queue; without it all of the topic." };
        var to = new Option<string>("--to") { Description = $"Where to: {SeekText.Forms}.", Required = true };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only show what would be skipped and delivered again." };
        return new Command(
            "seek", "Move a consumer group to another place in a topic; it may be consuming meanwhile.")
        {
            name, topic, queue, to, dryRun,
        }.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
        {
            var text = result.GetValue(to)!;
            var target = SeekText.Parse(text, DateTimeOffset.UtcNow)
                ?? throw new UsageException($"--to '{text}' is not a place in a topic.", $"Write one of {SeekText.Forms}.");
            if (result.GetValue(queue) is < 0)
            {
                throw new UsageException("--queue is negative; queues count from 0.");
            }

            var isDryRun = result.GetValue(dryRun);
            var queues = await new OffsetClient(channel).SeekAsync(
                result.GetValue(name)!,
                result.GetValue(topic)!,
                result.GetValue(queue),
                target,
                isDryRun,
                cancellationToken);
            Write(terminal, result.GetValue(name)!, result.GetValue(topic)!, queues, isDryRun, isJson);
            return ExitCode.Ok;
        });
    }

    private static void Write(
        Terminal terminal,
        string group,
        string topic,
        IReadOnlyList<QueueSeekResult> queues,
        bool isDryRun,
        bool isJson)
    {
        if (isJson)
        {
            JsonText.Write(terminal.Output, new { Group = group, Topic = topic, IsDryRun = isDryRun, Queues = queues });
            return;
        }

        terminal.Output.WriteLine(
            $"group {group} {(isDryRun ? "would move" : "moved")} in topic {topic}: "
            + $"{Text(queues.Sum(queue => queue.SkippedCount))} messages skipped, "
            + $"{Text(queues.Sum(queue => queue.RepeatedCount))} delivered again, "
            + $"{Text(queues.Sum(queue => queue.CutCount))} in flight cut off");
        terminal.WriteTable(
            ["QUEUE", "FROM", "TO", "SKIPPED", "AGAIN", "CUT OFF"],
            queues.Select(queue => (string[])
            [
                Text(queue.QueueId), Text(queue.FromOffset), Text(queue.ToOffset), Text(queue.SkippedCount),
                Text(queue.RepeatedCount), Text(queue.CutCount),
            ]));
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
