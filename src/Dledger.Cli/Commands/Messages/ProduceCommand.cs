using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Producing;

namespace Dledger.Cli.Commands.Messages;

/// <summary><c>dledger produce</c>: one message from the command line, or one for each line of a file or of stdin.</summary>
internal static class ProduceCommand
{
    private const int InFlightMax = 1_024;

    public static Command Create(Terminal terminal)
    {
        var topic = new Argument<string>("topic") { Description = "Where to send." };
        var body = new Argument<string?>("body")
        {
            Description = "The message. Without it and without --file, each line of stdin is one.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var file = new Option<string?>("--file", "-f") { Description = "Send each line of this file.", HelpName = "path" };
        var whole = new Option<bool>("--whole") { Description = "Send the whole file or stdin as one message." };
        var count = new Option<int>("--count", "-c")
        {
            Description = "Send each message this often; {n} in it becomes 1, 2, ...",
            DefaultValueFactory = _ => 1,
        };
        var tag = new Option<string?>("--tag", "-t") { Description = "A tag to filter by." };
        var keys = new Option<string[]>("--key", "-k") { Description = "A key to find it by; may be given several times." };
        var properties = new Option<string[]>("--property", "-p")
        {
            Description = "name=value; may be given several times.",
            HelpName = "name=value",
        };
        var messageGroup = new Option<string?>("--message-group") { Description = "Keep the order within this group." };
        var liteTopic = new Option<string?>("--lite-topic") { Description = "The lite topic, inside of a topic of type LITE." };
        var priority = new Option<int?>("--priority")
        {
            Description = "How urgent, for a topic of type PRIORITY: 0 or more, larger is more urgent.",
        };
        var inFlight = new Option<int>("--in-flight")
        {
            Description = $"Calls at the same time, 1..{InFlightMax}. More than one gives up the order.",
            DefaultValueFactory = _ => 1,
        };
        var command = new Command("produce", "Send messages.")
        {
            topic, body, file, whole, count, tag, keys, properties, messageGroup, liteTopic, priority, inFlight,
        };
        var delivery = DeliveryArguments.AddTo(command);
        return command.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
        {
            var template = new OutgoingMessage(result.GetValue(topic)!, default)
            {
                Tag = result.GetValue(tag),
                Keys = result.GetValue(keys) ?? [],
                Properties = ParseProperties(result.GetValue(properties) ?? []),
                MessageGroup = result.GetValue(messageGroup),
                LiteTopic = result.GetValue(liteTopic),
                Priority = result.GetValue(priority),
                DeliverAt = delivery.DeliverAt(result),
            };
            if (result.GetValue(body) is not null && result.GetValue(file) is not null)
            {
                throw new UsageException("A body and --file cannot both be given.");
            }

            var bodies = new MessageBodies(
                terminal.Input, result.GetValue(body), result.GetValue(file), result.GetValue(whole), InRange(result, count, 1, int.MaxValue));
            var sending = new MessageSending(channel, terminal, template, isJson, InRange(result, inFlight, 1, InFlightMax));
            return await sending.RunAsync(bodies, cancellationToken);
        });
    }

    private static int InRange(ParseResult result, Option<int> option, int min, int max)
    {
        var value = result.GetValue(option);
        return value >= min && value <= max
            ? value
            : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"{option.Name} {value} is outside {min}..{max}."));
    }

    private static Dictionary<string, string> ParseProperties(string[] pairs)
    {
        var properties = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in pairs)
        {
            var parts = pair.Split('=', 2);
            if (parts.Length < 2 || parts[0].Length == 0)
            {
                throw new UsageException($"--property '{pair}' is not name=value.", "Write --property colour=red");
            }

            properties[parts[0]] = parts[1];
        }

        return properties;
    }
}
