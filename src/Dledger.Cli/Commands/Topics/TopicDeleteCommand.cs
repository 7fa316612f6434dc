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
        var dryRun = new Option<bool>("--dry-run") { Description = "Show what would be deleted, and change nothing." };
        return new Command("delete", "Delete a topic and its messages.") { name, yes, dryRun }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var admin = new AdminClient(channel);
                var topic = result.GetValue(name)!;
                if (result.GetValue(dryRun))
                {
                    Preview(terminal, await admin.DescribeTopicAsync(topic, cancellationToken), isJson);
                    return ExitCode.Ok;
                }

                if (!result.GetValue(yes))
                {
                    throw new UsageException(
                        $"Deleting topic '{topic}' deletes its messages for good.", "Add --yes if that is wanted.");
                }

                await admin.DeleteTopicAsync(topic, cancellationToken);
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

    private static void Preview(Terminal terminal, TopicDescription topic, bool isJson)
    {
        var messages = topic.Queues.Sum(queue => queue.MaxOffset - queue.MinOffset);
        if (isJson)
        {
            JsonText.Write(terminal.Output, new { wouldDelete = topic.Name, queues = topic.QueueCount, messages });
        }
        else
        {
            terminal.Output.WriteLine($"topic {topic.Name} would be deleted: {messages} messages in {topic.QueueCount} queues");
        }
    }
}
