using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Timers;

/// <summary><c>dledger timer list</c></summary>
internal static class TimerListCommand
{
    private const int PageMax = 1_000;

    public static Command Create(Terminal terminal)
    {
        var limit = new Option<int>("--limit", "-n")
        {
            Description = $"Most messages to list, 1..{PageMax}.",
            DefaultValueFactory = _ => 100,
        };
        var page = new Option<string?>("--page") { Description = "Go on where an earlier answer ended." };
        var command = new Command("list", "List delayed messages that wait, in the order of their delivery.") { limit, page };
        var arguments = TimerArguments.AddTo(command);
        return command.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
        {
            var wanted = result.GetValue(limit);
            if (wanted is < 1 or > PageMax)
            {
                throw new UsageException(string.Create(
                    CultureInfo.InvariantCulture, $"--limit {wanted} is outside 1..{PageMax}."));
            }

            var client = new TimerAdminClient(channel);
            var selection = arguments.Selection(result);
            var timers = new List<PendingTimer>();
            var next = result.GetValue(page);
            PendingTimerPage answer;
            do
            {
                answer = await client.ListAsync(selection, wanted - timers.Count, next, cancellationToken);
                timers.AddRange(answer.Timers);
                next = answer.NextPage;
            }
            while (next is not null && timers.Count < wanted);

            if (isJson)
            {
                JsonText.Write(terminal.Output, new
                {
                    topic = selection.Topic,
                    pending = answer.PendingCount,
                    nextPage = next,
                    messages = timers.Select(TimerArguments.ToJson),
                });
                return ExitCode.Ok;
            }

            if (timers.Count > 0)
            {
                TimerArguments.WriteTable(terminal, timers);
            }

            terminal.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{timers.Count} listed; {answer.PendingCount} messages of topic {selection.Topic} wait"));
            if (next is not null)
            {
                terminal.Error.WriteLine($"go on with: --page {next}");
            }

            return ExitCode.Ok;
        });
    }
}
