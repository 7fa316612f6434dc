using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Topics;

/// <summary><c>dledger topic alter</c></summary>
internal static class TopicAlterCommand
{
    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "The topic." };
        var queues = new Option<int?>("--queues", "-q") { Description = "More queues than it has, up to 1024." };
        var types = new Option<MessageType[]>("--type")
        {
            Description = "What may be sent to it from now on; give it several times for several.",
        };
        var command = new Command("alter", "Change a topic; what is not given stays as it is.") { name, queues, types };
        var retention = RetentionArguments.AddTo(command);
        var window = IdWindowArguments.AddTo(command);
        var quota = QuotaArguments.ForProduce();
        quota.AddTo(command);
        var lite = LiteArguments.AddTo(command);
        return command.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var alteration = new TopicAlteration(result.GetValue(name)!)
                {
                    QueueCount = result.GetValue(queues),
                    MessageTypes = result.GetValue(types) ?? [],
                    RetentionTime = retention.Time(result),
                    RetentionBytes = retention.Bytes(result),
                    IdWindowTime = window.Time(result),
                    IdWindowCount = window.Count(result),
                    ProduceMessagesPerSecond = quota.Messages(result),
                    ProduceBytesPerSecond = quota.Bytes(result),
                    LiteExpiry = lite.Expiry(result),
                    LiteTopicsMax = lite.Max(result),
                };
                if (alteration == new TopicAlteration(alteration.Name) { MessageTypes = alteration.MessageTypes }
                    && alteration.MessageTypes.Count == 0)
                {
                    throw new UsageException(
                        "Nothing is to be changed.",
                        "Give --queues, --type, --retention-time, --retention-bytes, --dedup-time, --dedup-count, "
                        + "--produce-messages-per-second, --produce-bytes-per-second, --lite-expiry or --lite-topics-max.");
                }

                if (alteration.QueueCount is <= 0)
                {
                    throw new UsageException($"--queues {alteration.QueueCount} is outside 1..1024.");
                }

                var topic = await new AdminClient(channel).AlterTopicAsync(alteration, cancellationToken);
                TopicAnswer.Write(terminal, topic, isJson);
                return ExitCode.Ok;
            });
    }
}
