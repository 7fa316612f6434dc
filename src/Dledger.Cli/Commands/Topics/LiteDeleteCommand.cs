using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Topics;

/// <summary><c>dledger topic lite delete</c></summary>
internal static class LiteDeleteCommand
{
    public static Command Create(Terminal terminal)
    {
        var topic = new Option<string>("--topic", "-t") { Description = "The parent, a topic of type LITE.", Required = true };
        var name = new Argument<string>("lite topic") { Description = "Its name." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Really delete it with all its messages." };
        return new Command("delete", "Delete a lite topic and its messages.") { name, topic, yes }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var (parent, lite) = (result.GetValue(topic)!, result.GetValue(name)!);
                if (!result.GetValue(yes))
                {
                    throw new UsageException(
                        $"Deleting lite topic '{lite}' deletes its messages for good.", "Add --yes if that is wanted.");
                }

                await new LiteTopicClient(channel).DeleteAsync(parent, lite, cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new { topic = parent, deleted = lite });
                }
                else
                {
                    terminal.Output.WriteLine($"lite topic {lite} of {parent} deleted");
                }

                return ExitCode.Ok;
            });
    }
}
