using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Topics;

/// <summary><c>dledger topic list</c></summary>
internal static class TopicListCommand
{
    public static Command Create(Terminal terminal)
    {
        var all = new Option<bool>("--all") { Description = "Also the dead letter topics." };
        return new Command("list", "List the topics.") { all }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var topics = await new AdminClient(channel).ListTopicsAsync(result.GetValue(all), cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new { topics = topics.Select(TopicAnswer.Of) });
                }
                else if (topics.Count == 0)
                {
                    terminal.Error.WriteLine("no topics yet; create one: dledger topic create <name>");
                }
                else
                {
                    terminal.WriteTable(["TOPIC", "QUEUES", "TYPES"], topics.Select(topic => (string[])
                    [
                        topic.Name,
                        topic.QueueCount.ToString(CultureInfo.InvariantCulture),
                        string.Join(", ", topic.MessageTypes),
                    ]));
                }

                return ExitCode.Ok;
            });
    }
}
