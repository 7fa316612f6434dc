using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Commands.Lookups;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Groups;

/// <summary><c>dledger group replay</c></summary>
internal static class GroupReplayCommand
{
    public static Command Create(Terminal terminal)
    {
        var group = new Option<string>("--group", "-g") { Description = "The group.", Required = true };
        var topic = new Option<string>("--topic", "-t") { Description = "The topic.", Required = true };
        var queue = new Option<int?>("--queue", "-q") { Description = "One queue; without it all of the topic." };
        var from = new Option<string>("--from") { Description = "Stored at this time or later." };
        var to = new Option<string>("--to") { Description = "Stored before this time." };
        var offsets = new Option<string>("--offsets") { Description = "Offsets A-B of the queue, both included." };
        var tag = new Option<string>("--tag") { Description = "A tag expression: A || B." };
        var sql = new Option<string>("--sql") { Description = "An SQL expression." };
        var key = new Option<string[]>("--key") { Description = "A business key; repeat for one of several." };
        var id = new Option<string[]>("--id") { Description = "A message id; repeat for one of several." };
        var limit = new Option<long?>("--limit") { Description = "Most messages that are put back." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only count what would be delivered again." };
        return new Command(
            "replay", "Deliver consumed messages of a selection to a group again; its offsets stay where they are.")
        {
            group, topic, queue, from, to, offsets, tag, sql, key, id, limit, dryRun,
        }.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
        {
            if (result.GetValue(queue) is < 0)
            {
                throw new UsageException("--queue is negative; queues count from 0.");
            }

            if (result.GetValue(limit) is <= 0)
            {
                throw new UsageException("--limit is not above 0.", "Leave it away for no limit.");
            }

            var range = ParseOffsets(result.GetValue(offsets));
            var replay = new GroupReplay
            {
                QueueId = result.GetValue(queue),
                From = TimeArgument.Parse(result.GetValue(from), "--from"),
                To = TimeArgument.Parse(result.GetValue(to), "--to"),
                FirstOffset = range?.First,
                LastOffset = range?.Last,
                TagExpression = result.GetValue(tag),
                SqlExpression = result.GetValue(sql),
                Keys = result.GetValue(key) ?? [],
                MessageIds = result.GetValue(id) ?? [],
                Limit = result.GetValue(limit) ?? 0,
            };
            var isDryRun = result.GetValue(dryRun);
            var done = await new OffsetClient(channel).ReplayAsync(
                result.GetValue(group)!, result.GetValue(topic)!, replay, isDryRun, cancellationToken);
            Write(terminal, result.GetValue(group)!, result.GetValue(topic)!, done, isDryRun, isJson);
            return ExitCode.Ok;
        });
    }

    private static (long First, long Last)? ParseOffsets(string? text)
    {
        if (text is null)
        {
            return null;
        }

        var parts = text.Split('-');
        return parts.Length == 2
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)
                ? (first, last)
                : throw new UsageException($"--offsets '{text}' is no range of offsets.", "Write it like 100-199.");
    }

    private static void Write(
        Terminal terminal, string group, string topic, GroupReplayResult done, bool isDryRun, bool isJson)
    {
        if (isJson)
        {
            JsonText.Write(
                terminal.Output,
                new { Group = group, Topic = topic, IsDryRun = isDryRun, done.Queues, done.RoomCount });
            return;
        }

        var (again, skipped) = (done.Queues.Sum(queue => queue.PutBackCount), done.Queues.Sum(queue => queue.SkippedCount));
        terminal.Output.WriteLine(
            $"group {group} {(isDryRun ? "would get" : "gets")} {Text(again)} messages of topic {topic} again, "
            + $"{Text(skipped)} skipped that it has not finished");
        if (isDryRun && again > done.RoomCount)
        {
            terminal.Output.WriteLine($"only {Text(done.RoomCount)} fit at present: use --limit, and repeat when they are consumed");
        }

        terminal.WriteTable(
            ["QUEUE", "AGAIN", "SKIPPED"],
            done.Queues.Select(queue => (string[])
                [Text(queue.QueueId), Text(queue.PutBackCount), Text(queue.SkippedCount)]));
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
