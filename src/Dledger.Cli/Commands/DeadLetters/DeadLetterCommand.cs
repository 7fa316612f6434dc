using System.CommandLine;
using Dledger.Cli.Commands.Lookups;
using Dledger.Cli.Output;
using Dledger.Client.Lookups;

namespace Dledger.Cli.Commands.DeadLetters;

/// <summary><c>dledger dlq list | show | inspect | resend | export | purge</c></summary>
internal static class DeadLetterCommand
{
    public static Command Create(Terminal terminal) => new("dlq", "Dead letters: messages that a group could not consume.")
    {
        CreateList(terminal),
        CreateShow(terminal),
        CreateInspect(terminal),
        DeadLetterResendCommand.Create(terminal),
        CreateExport(terminal),
        CreatePurge(terminal),
    };

    /// <summary>The letters of a group that a command line is about.</summary>
    public static async IAsyncEnumerable<FoundDeadLetter> SelectAsync(
        LookupClient client,
        string group,
        string? topic,
        bool withBody,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var letter in client.ReadDeadLettersAsync(group, withBody, cancellationToken))
        {
            if (topic is null || letter.Message.Origin?.Topic == topic)
            {
                yield return letter;
            }
        }
    }

    public static Argument<string> GroupArgument() => new("group") { Description = "The consumer group that failed." };

    public static Option<string?> TopicOption() => new("--topic", "-t") { Description = "Only letters that came from this topic." };

    private static Command CreateList(Terminal terminal)
    {
        var group = new Option<string?>("--group", "-g") { Description = "Only this group." };
        return new Command("list", "Count the dead letters per group and topic.") { group }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var letters = await new LookupClient(channel).ListDeadLettersAsync(result.GetValue(group) ?? "", cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new { deadLetters = letters });
                }
                else if (letters.Count == 0)
                {
                    terminal.Error.WriteLine("no dead letters");
                }
                else
                {
                    terminal.WriteTable(
                        ["GROUP", "FROM TOPIC", "COUNT", "SENT AGAIN", "OLDEST", "NEWEST"],
                        letters.Select(each => (string[])
                        [
                            each.Group, each.OriginTopic.Length == 0 ? "(not looked at)" : each.OriginTopic,
                            LookupAnswer.Text(each.Count), LookupAnswer.Text(each.ResentCount), LookupAnswer.Time(each.Oldest),
                            LookupAnswer.Time(each.Newest),
                        ]));
                }

                return ExitCode.Ok;
            });
    }

    private static Command CreateShow(Terminal terminal)
    {
        var group = GroupArgument();
        var topic = TopicOption();
        var limit = new Option<int>("--limit", "-l") { Description = "At most so many.", DefaultValueFactory = _ => 100 };
        return new Command("show", "List the dead letters of a group.") { group, topic, limit }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var letters = new List<FoundDeadLetter>();
                var max = result.GetValue(limit);
                await foreach (var letter in SelectAsync(
                    new LookupClient(channel), result.GetValue(group)!, result.GetValue(topic), false, cancellationToken))
                {
                    if (letters.Count >= max)
                    {
                        terminal.Error.WriteLine($"only the first {max} are shown; raise --limit for more");
                        break;
                    }

                    letters.Add(letter);
                }

                if (isJson)
                {
                    letters.ForEach(letter => Write(terminal, letter));
                }
                else
                {
                    terminal.WriteTable(
                        [
                            "QUEUE", "OFFSET", "MESSAGE ID", "FROM TOPIC", "QUEUE", "OFFSET", "ATTEMPTS", "REASON", "DEAD SINCE", "SENT AGAIN",
                        ],
                        letters.Select(letter => (string[])
                        [
                            LookupAnswer.Text(letter.Message.QueueId), LookupAnswer.Text(letter.Message.Offset),
                            LookupAnswer.Plain(letter.Message.MessageId), .. DescribeOrigin(letter.Message.Origin),
                            LookupAnswer.Time(letter.Message.StoreTime), letter.IsResent ? "yes" : "no",
                        ]));
                }

                return ExitCode.Ok;
            });
    }

    private static Command CreateInspect(Terminal terminal)
    {
        var group = GroupArgument();
        var id = new Argument<string>("id") { Description = "The message id." };
        return new Command("inspect", "Show dead letters of one message id with their bodies.") { group, id }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var found = await new LookupClient(channel).FindByIdAsync(
                    $"%DLQ%{result.GetValue(group)}", result.GetValue(id)!, cancellationToken);
                LookupAnswer.Warn(terminal, found);
                if (found.Messages.Count == 0)
                {
                    terminal.Fault($"Group '{result.GetValue(group)}' has no dead letter of this id.");
                    terminal.Advise("See: dledger dlq show <group>");
                    return ExitCode.NotFound;
                }

                foreach (var message in found.Messages)
                {
                    if (isJson)
                    {
                        JsonText.Write(terminal.Output, LookupAnswer.Of(message));
                    }
                    else
                    {
                        LookupAnswer.Print(terminal, message);
                    }
                }

                return ExitCode.Ok;
            });
    }

    private static Command CreateExport(Terminal terminal)
    {
        var group = GroupArgument();
        var topic = TopicOption();
        var file = new Option<string?>("--file", "-f") { Description = "Where to write; else to the output. It must not exist." };
        return new Command("export", "Write the dead letters of a group with their bodies, one JSON value per line.")
        {
            group, topic, file,
        }.Serving(terminal, async (channel, result, _, cancellationToken) =>
        {
            var path = result.GetValue(file);
            if (File.Exists(path))
            {
                throw new UsageException($"The file '{path}' exists already.", "Name another file; it would be overwritten.");
            }

            await using var opened = path is null ? null : new StreamWriter(path);
            var target = terminal with { Output = opened ?? terminal.Output };
            var count = 0;
            await foreach (var letter in SelectAsync(
                new LookupClient(channel), result.GetValue(group)!, result.GetValue(topic), true, cancellationToken))
            {
                Write(target, letter);
                count++;
            }

            terminal.Error.WriteLine($"{count} dead letter{(count == 1 ? "" : "s")} exported");
            return ExitCode.Ok;
        });
    }

    private static Command CreatePurge(Terminal terminal)
    {
        var group = GroupArgument();
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say how many there are." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Really forget them." };
        return new Command("purge", "Forget all dead letters of a group.") { group, dryRun, yes }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var name = result.GetValue(group)!;
                var isDry = result.GetValue(dryRun);
                if (!isDry && !result.GetValue(yes))
                {
                    throw new UsageException(
                        $"Purging forgets the dead letters of group '{name}' for good.",
                        "Look with --dry-run, keep a copy with 'dledger dlq export', then add --yes.");
                }

                var count = await new LookupClient(channel).PurgeDeadLettersAsync(name, isDry, cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new { group = name, count, isDryRun = isDry });
                }
                else
                {
                    terminal.Output.WriteLine(isDry ? $"{count} dead letters would be forgotten" : $"{count} dead letters forgotten");
                }

                return ExitCode.Ok;
            });
    }

    private static string[] DescribeOrigin(FoundOrigin? origin) => origin is null
        ? ["-", "-", "-", "-", "-"]
        :
        [
            origin.Topic, LookupAnswer.Text(origin.QueueId), LookupAnswer.Text(origin.Offset), LookupAnswer.Text(origin.Attempts),
            LookupAnswer.DescribeReason(origin),
        ];

    private static void Write(Terminal terminal, FoundDeadLetter letter) =>
        JsonText.Write(terminal.Output, new { letter.IsResent, Message = LookupAnswer.Of(letter.Message) });
}
