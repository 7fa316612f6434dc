using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Timers;

/// <summary><c>dledger timer show</c>: one message that waits.</summary>
internal static class TimerShowCommand
{
    public static Command Create(Terminal terminal)
    {
        var topic = new Argument<string>("topic") { Description = "Its topic." };
        var id = new Argument<string>("id") { Description = "The message id." };
        return new Command("show", "Show a delayed message that waits.") { topic, id }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var client = new TimerAdminClient(channel);
                var selection = new PendingTimerSelection(result.GetValue(topic)!) { MessageId = result.GetValue(id)! };
                var found = new List<PendingTimer>();
                string? next = null;
                do
                {
                    var page = await client.ListAsync(selection, 10, next, cancellationToken);
                    found.AddRange(page.Timers);
                    next = page.NextPage;
                }
                while (next is not null);

                if (found.Count == 0)
                {
                    terminal.Fault($"No message '{selection.MessageId}' of topic '{selection.Topic}' waits.");
                    terminal.Advise($"See: dledger timer list {selection.Topic}");
                    return ExitCode.NotFound;
                }

                foreach (var timer in found)
                {
                    if (isJson)
                    {
                        JsonText.Write(terminal.Output, TimerArguments.ToJson(timer));
                    }
                    else
                    {
                        terminal.Output.WriteLine($"message     {timer.MessageId}");
                        terminal.Output.WriteLine($"deliver at  {timer.DeliverAt:O}");
                        terminal.Output.WriteLine($"stored at   {timer.StoredAt:O}");
                        terminal.Output.WriteLine($"keys        {string.Join(" ", timer.Keys)}");
                        terminal.Output.WriteLine($"tag         {timer.Tag}");
                        terminal.Output.WriteLine($"bytes       {timer.BodyBytes}");
                        terminal.Output.WriteLine($"handle      {timer.RecallHandle}");
                    }
                }

                return ExitCode.Ok;
            });
    }
}
