using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Topics;

/// <summary><c>dledger topic create</c></summary>
internal static class TopicCreateCommand
{
    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "Letters, digits, '%', '-', '_' and '|'." };
        var queues = new Option<int>("--queues", "-q")
        {
            Description = "Number of queues, 1..1024; 0: the server's default.",
        };
        var types = new Option<MessageType[]>("--type")
        {
            Description = "What may be sent to it; give it several times for several.",
            DefaultValueFactory = _ => [MessageType.Normal],
        };
        var command = new Command("create", "Create a topic; the same one again is no fault.") { name, queues, types };
        var retention = RetentionArguments.AddTo(command);
        var window = IdWindowArguments.AddTo(command);
        var quota = QuotaArguments.ForProduce();
        quota.AddTo(command);
        var lite = LiteArguments.AddTo(command);
        return command.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var topic = await new AdminClient(channel).CreateTopicAsync(
                    new TopicDescription(result.GetValue(name)!, result.GetValue(queues), result.GetValue(types)!)
                    {
                        RetentionTime = retention.Time(result),
                        RetentionBytes = retention.Bytes(result),
                        IdWindowTime = window.Time(result),
                        IdWindowCount = window.Count(result),
                        ProduceMessagesPerSecond = quota.Messages(result),
                        ProduceBytesPerSecond = quota.Bytes(result),
                        LiteExpiry = lite.Expiry(result),
                        LiteTopicsMax = lite.Max(result),
                    },
                    cancellationToken);
                TopicAnswer.Write(terminal, topic, isJson);
                return ExitCode.Ok;
            });
    }
}
