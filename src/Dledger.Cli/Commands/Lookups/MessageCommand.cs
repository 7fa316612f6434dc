using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Lookups;

namespace Dledger.Cli.Commands.Lookups;

/// <summary><c>dledger message get | find | explain | tail</c></summary>
internal static class MessageCommand
{
    public static Command Create(Terminal terminal) => new("message", "Look at stored messages, and at what became of them.")
    {
        CreateGet(terminal),
        CreateFind(terminal),
        CreateExplain(terminal),
        MessageTailCommand.Create(terminal),
    };

    private static Command CreateGet(Terminal terminal)
    {
        var id = new Argument<string?>("id") { Description = "The message id.", DefaultValueFactory = _ => null };
        var topic = TopicOption();
        var (queue, offset) = PlaceOptions();
        return new Command("get", "Show a message by its id, or by queue and offset.") { id, topic, queue, offset }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var client = new LookupClient(channel);
                var wanted = result.GetValue(topic)!;
                var place = PlaceOf(result.GetValue(id), result.GetValue(queue), result.GetValue(offset));
                var found = place is { } at
                    ? await client.ReadAsync(wanted, at.QueueId, at.Offset, 1, cancellationToken)
                    : await client.FindByIdAsync(wanted, result.GetValue(id)!, cancellationToken);
                var messages = found.Messages.Where(message => place is null || message.Offset == place.Value.Offset).ToList();
                LookupAnswer.Warn(terminal, found with { HasMore = false });
                if (messages.Count == 0)
                {
                    terminal.Fault($"Topic '{wanted}' has no such message.");
                    terminal.Advise("It was never stored there, is not visible yet, or is no longer kept.");
                    return ExitCode.NotFound;
                }

                foreach (var message in messages)
                {
                    Write(terminal, isJson, message);
                }

                return ExitCode.Ok;
            });
    }

    private static Command CreateFind(Terminal terminal)
    {
        var key = new Argument<string>("key") { Description = "One of the business keys of the messages." };
        var topic = TopicOption();
        var from = new Option<string?>("--from") { Description = "Stored at or after this time.", HelpName = "time" };
        var to = new Option<string?>("--to") { Description = "Stored before this time.", HelpName = "time" };
        var max = new Option<int>("--max", "-m")
        {
            Description = "At most so many, the newest; 1..1000.",
            DefaultValueFactory = _ => 32,
        };
        return new Command("find", "Find messages by a business key, newest first.") { key, topic, from, to, max }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var found = await new LookupClient(channel).FindByKeyAsync(
                    result.GetValue(topic)!,
                    result.GetValue(key)!,
                    TimeArgument.Parse(result.GetValue(from), "--from"),
                    TimeArgument.Parse(result.GetValue(to), "--to"),
                    result.GetValue(max),
                    cancellationToken);
                LookupAnswer.Warn(terminal, found);
                if (isJson)
                {
                    foreach (var message in found.Messages)
                    {
                        JsonText.Write(terminal.Output, LookupAnswer.Of(message));
                    }
                }
                else if (found.Messages.Count == 0)
                {
                    terminal.Error.WriteLine("no messages with this key");
                }
                else
                {
                    terminal.WriteTable(
                        ["MESSAGE ID", "QUEUE", "OFFSET", "STORED", "TAG", "KEYS", "BYTES"],
                        found.Messages.Select(message => (string[])
                        [
                            LookupAnswer.Plain(message.MessageId), LookupAnswer.Text(message.QueueId),
                            LookupAnswer.Text(message.Offset), LookupAnswer.Time(message.StoreTime),
                            LookupAnswer.Plain(message.Tag ?? "-"), LookupAnswer.Plain(string.Join(' ', message.Keys)),
                            LookupAnswer.Text(message.BodyBytes),
                        ]));
                }

                return ExitCode.Ok;
            });
    }

    private static Command CreateExplain(Terminal terminal)
    {
        var id = new Argument<string?>("id") { Description = "The message id.", DefaultValueFactory = _ => null };
        var topic = TopicOption();
        var (queue, offset) = PlaceOptions();
        var group = new Option<string?>("--group", "-g") { Description = "Only this group, also one that never read the topic." };
        var from = new Option<long>("--history-from")
        {
            Description = "Go on with the history at this log position, which an earlier answer told.",
            HelpName = "position",
        };
        return new Command("explain", "Tell why a message was delivered, or not.")
        {
            id, topic, queue, offset, group, from,
        }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var place = PlaceOf(result.GetValue(id), result.GetValue(queue), result.GetValue(offset));
                var answer = await new LookupClient(channel).ExplainAsync(
                    result.GetValue(topic)!,
                    place is null ? result.GetValue(id)! : "",
                    place?.QueueId ?? 0,
                    place?.Offset ?? 0,
                    result.GetValue(group) ?? "",
                    result.GetValue(from),
                    cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new
                    {
                        Message = LookupAnswer.Of(answer.Message with { Body = default }),
                        answer.State,
                        answer.Sentence,
                        answer.HasOthers,
                        answer.Groups,
                        answer.History,
                        answer.HistoryEnd,
                        answer.IsHistoryComplete,
                    });
                }
                else
                {
                    Print(terminal, answer);
                }

                return ExitCode.Ok;
            });
    }

    private static void Print(Terminal terminal, Explanation answer)
    {
        var message = answer.Message;
        terminal.Output.WriteLine(
            $"message {LookupAnswer.Plain(message.MessageId)} of topic {message.Topic}, tag {LookupAnswer.Plain(message.Tag ?? "-")}, "
            + $"stored {LookupAnswer.Time(message.StoreTime)}: {answer.Sentence}");
        if (answer.HasOthers)
        {
            terminal.Output.WriteLine("  it is the newest of several with this id: name an older one by --queue and --offset");
        }

        if (answer.Groups.Count == 0 && answer.State == "inQueue")
        {
            terminal.Output.WriteLine("no group has read this topic: start a consumer, or name a group with --group");
        }

        foreach (var group in answer.Groups)
        {
            terminal.Output.WriteLine($"group {group.Group}: {group.Sentence}");
        }

        terminal.Output.WriteLine("history:");
        foreach (var happened in answer.History)
        {
            var whose = happened.Group.Length == 0 ? "" : $"group {happened.Group}: ";
            var attempt = happened.Kind == "delivered" ? $"attempt {happened.Attempt} " : "";
            terminal.Output.WriteLine($"  {LookupAnswer.Time(happened.Time)} {whose}{attempt}{happened.Sentence}");
        }

        if (!answer.IsHistoryComplete)
        {
            terminal.Output.WriteLine(
                $"  ... the history may go on: add --history-from {LookupAnswer.Text(answer.HistoryEnd)}");
        }
    }

    private static void Write(Terminal terminal, bool isJson, FoundMessage message)
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

    private static Option<string> TopicOption() => new("--topic", "-t") { Description = "The topic.", Required = true };

    private static (Option<int?> Queue, Option<long?> Offset) PlaceOptions() => (
        new Option<int?>("--queue", "-q") { Description = "Instead of an id: the queue." },
        new Option<long?>("--offset", "-o") { Description = "Instead of an id: the offset in the queue." });

    private static (int QueueId, long Offset)? PlaceOf(string? id, int? queue, long? offset) => (id, queue, offset) switch
    {
        (not null, null, null) => null,
        (null, { } queueId, { } queueOffset) => (queueId, queueOffset),
        _ => throw new UsageException(
            "A message is named by its id, or by --queue and --offset.", "dledger message get <id> --topic <topic>"),
    };
}
