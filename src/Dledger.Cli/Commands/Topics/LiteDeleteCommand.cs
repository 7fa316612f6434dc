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
        var dryRun = new Option<bool>("--dry-run") { Description = "Show what would be deleted, and change nothing." };
        return new Command("delete", "Delete a lite topic and its messages.") { name, topic, yes, dryRun }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var (parent, lite) = (result.GetValue(topic)!, result.GetValue(name)!);
                var lites = new LiteTopicClient(channel);
                if (result.GetValue(dryRun))
                {
                    Preview(terminal, parent, lite, await FindAsync(lites, parent, lite, cancellationToken), isJson);
                    return ExitCode.Ok;
                }

                if (!result.GetValue(yes))
                {
                    throw new UsageException(
                        $"Deleting lite topic '{lite}' deletes its messages for good.", "Add --yes if that is wanted.");
                }

                await lites.DeleteAsync(parent, lite, cancellationToken);
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

    // Lists begin behind a name; the names before this one that share its beginning are passed over.
    private static async Task<LiteTopicDescription?> FindAsync(
        LiteTopicClient lites, string parent, string name, CancellationToken cancellationToken)
    {
        for (var after = name.Length > 0 ? name[..^1] : ""; ;)
        {
            var page = await lites.ListAsync(parent, after, LiteListCommand.LimitMax, cancellationToken);
            if (page.LiteTopics.FirstOrDefault(lite => lite.Name == name) is { } found)
            {
                return found;
            }

            if (!page.HasMore || string.CompareOrdinal(page.LiteTopics[^1].Name, name) > 0)
            {
                return null;
            }

            after = page.LiteTopics[^1].Name;
        }
    }

    private static void Preview(Terminal terminal, string parent, string name, LiteTopicDescription? lite, bool isJson)
    {
        var messages = lite is null ? 0 : lite.MaxOffset - lite.MinOffset;
        if (isJson)
        {
            JsonText.Write(terminal.Output, new { topic = parent, wouldDelete = lite?.Name, messages });
        }
        else
        {
            terminal.Output.WriteLine(lite is null
                ? $"{parent} has no lite topic {name}: nothing would be deleted"
                : $"lite topic {name} of {parent} would be deleted: {messages} messages");
        }
    }
}
