using System.CommandLine;
using System.Globalization;
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
                        group.Modes,
                        group.Pause,
                        LagCount = group.Queues.Sum(queue => queue.LagCount),
                        group.Queues,
                    });
                    return ExitCode.Ok;
                }

                terminal.Output.WriteLine(
                    $"group {group.Name}: {(group.IsFifo ? "fifo" : "concurrent")}, {group.MaxAttempts} attempts, "
                    + $"{group.Queues.Sum(queue => queue.LagCount)} messages not consumed{GroupAnswer.Remarks(group)}");
                terminal.WriteTable(
                    ["TOPIC", "QUEUE", "COMMITTED", "MAX OFFSET", "IN FLIGHT", "LAG"],
                    group.Queues.Select(queue => (string[])
                    [
                        queue.Topic, Text(queue.QueueId), Text(queue.CommittedOffset), Text(queue.MaxOffset),
                        Text(queue.InFlightCount), Text(queue.LagCount),
                    ]));
                return ExitCode.Ok;
            });
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
