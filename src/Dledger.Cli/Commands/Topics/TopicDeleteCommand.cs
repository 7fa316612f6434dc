using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Topics;

/// <summary><c>dledger topic delete</c></summary>
internal static class TopicDeleteCommand
{
    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "The topic." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Really delete it with all its messages." };
        return new Command("delete", "Delete a topic and its messages.") { name, yes }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var topic = result.GetValue(name)!;
                if (!result.GetValue(yes))
                {
                    throw new UsageException(
                        $"Deleting topic '{topic}' deletes its messages for good.", "Add --yes if that is wanted.");
                }

                await new AdminClient(channel).DeleteTopicAsync(topic, cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new { deleted = topic });
                }
                else
                {
                    terminal.Output.WriteLine($"topic {topic} deleted");
                }

                return ExitCode.Ok;
            });
    }
}
