using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Commands.Lookups;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Groups;

/// <summary><c>dledger group describe</c></summary>
internal static class GroupDescribeCommand
{
    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "The group." };
        return new Command("describe", "Show a consumer group and where it stands in each queue.") { name }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var group = await new AdminClient(channel).DescribeGroupAsync(result.GetValue(name)!, cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new
                    {
                        group.Name,
                        group.IsFifo,
                        group.MaxAttempts,
                        BackoffSeconds = group.Backoff.Select(wait => wait.TotalSeconds),
                        Mismatch = group.Mismatch.ToString(),
                        group.Members,
                        group.Modes,
                        group.Pause,
                        group.Dedup,
                        LagCount = LagOf(group),
                        group.Queues,
                        group.BroadcastMembers,
                    });
                    return ExitCode.Ok;
                }

                terminal.Output.WriteLine(
                    $"group {group.Name}: {(group.IsFifo ? "fifo" : "concurrent")}, {group.MaxAttempts} attempts, "
                    + $"{LagOf(group)} messages not consumed{GroupAnswer.Remarks(group)}");
                if (group.Dedup is { } dedup)
                {
                    terminal.Output.WriteLine(
                        $"{dedup.Repeats} messages finished without delivery as repeats; {dedup.Remembered} keys are remembered");
                }

                if (group.BroadcastMembers is { } members)
                {
                    terminal.WriteTable(
                        ["MEMBER", "JOINED", "SEEN", "TOPIC", "QUEUE", "COMMITTED", "MAX OFFSET", "IN FLIGHT", "LAG"],
                        members.SelectMany(member => member.Queues.Select(queue => (string[])
                        [
                            Shown(member.ClientId), LookupAnswer.Time(member.Joined), LookupAnswer.Time(member.Seen), .. Cells(queue),
                        ])));
                }
                else
                {
                    terminal.WriteTable(
                        ["TOPIC", "QUEUE", "COMMITTED", "MAX OFFSET", "IN FLIGHT", "LAG"], group.Queues.Select(Cells));
                }

                if (group.Members.Count > 0)
                {
                    terminal.WriteTable(
                        ["CLIENT", "TOPIC", "FILTER", ""],
                        group.Members.Select(member => (string[])
                        [
                            Shown(member.ClientId), member.Topic, Shown(member.Filter),
                            member.IsMismatch ? "MISMATCH" : "",
                        ]));
                }

                return ExitCode.Ok;
            });
    }

    private static string[] Cells(GroupQueueProgress queue) =>
    [
        queue.Topic, Text(queue.QueueId), Text(queue.CommittedOffset), Text(queue.MaxOffset), Text(queue.InFlightCount),
        Text(queue.LagCount),
    ];

    // Of a broadcast group what all its members together have not consumed.
    private static long LagOf(GroupDescription group) =>
        group.Queues.Sum(queue => queue.LagCount) + (group.BroadcastMembers?.Sum(member => member.LagCount) ?? 0);

    // Clients choose both freely, and an expression may have line ends.
    private static string Shown(string text) => string.Concat(text.Select(unit => char.IsControl(unit) ? ' ' : unit));

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
