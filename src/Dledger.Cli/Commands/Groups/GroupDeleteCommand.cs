using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Groups;

/// <summary><c>dledger group delete</c></summary>
internal static class GroupDeleteCommand
{
    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "The consumer group." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Really forget where it stands." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Show what would be forgotten, and change nothing." };
        return new Command("delete", "Delete a consumer group and its progress.") { name, yes, dryRun }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var admin = new AdminClient(channel);
                var group = result.GetValue(name)!;
                var isDryRun = result.GetValue(dryRun);
                if (!isDryRun && !result.GetValue(yes))
                {
                    throw new UsageException(
                        $"Deleting group '{group}' forgets which messages it has consumed.", "Add --yes if that is wanted.");
                }

                var progress = isDryRun ? (await admin.DescribeGroupAsync(group, cancellationToken)).Queues : [];
                if (!isDryRun)
                {
                    await admin.DeleteGroupAsync(group, cancellationToken);
                }

                Write(terminal, group, progress, isDryRun, isJson);
                return ExitCode.Ok;
            });
    }

    private static void Write(
        Terminal terminal, string group, IReadOnlyList<GroupQueueProgress> progress, bool isDryRun, bool isJson)
    {
        if (isDryRun && isJson)
        {
            JsonText.Write(terminal.Output, new { wouldDelete = group, queues = progress.Count, lag = progress.Sum(queue => queue.LagCount) });
        }
        else if (isJson)
        {
            JsonText.Write(terminal.Output, new { deleted = group });
        }
        else
        {
            terminal.Output.WriteLine(isDryRun
                ? $"group {group} would be deleted: its progress in {progress.Count} queues, {progress.Sum(queue => queue.LagCount)} messages not consumed"
                : $"group {group} deleted");
        }
    }
}
