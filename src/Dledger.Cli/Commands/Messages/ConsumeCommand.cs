using System.CommandLine;
using Dledger.Cli.Output;

namespace Dledger.Cli.Commands.Messages;

/// <summary><c>dledger consume</c>: prints messages for a group and acknowledges them.</summary>
internal static class ConsumeCommand
{
    private const string DefaultGroup = "dledger-cli";

    public static Command Create(Terminal terminal)
    {
        var topic = new Argument<string>("topic") { Description = "Where to read." };
        var group = new Option<string>("--group", "-g")
        {
            Description = "The consumer group; each has its own place in the topic.",
            DefaultValueFactory = _ => DefaultGroup,
        };
        var tag = new Option<string>("--tag", "-t")
        {
            Description = "Only messages of these tags: one, or several with || between.",
            DefaultValueFactory = _ => "*",
        };
        var untilEmpty = new Option<bool>("--until-empty") { Description = "End when no message is left; else go on until Ctrl+C." };
        var max = new Option<long>("--max", "-m") { Description = "End after so many messages; 0: no limit." };
        var invisible = new Option<double>("--invisible")
        {
            Description = "Seconds until a message that was not acknowledged comes again, 10..43200.",
            DefaultValueFactory = _ => 30,
            HelpName = "seconds",
        };
        var noAck = new Option<bool>("--no-ack") { Description = "Do not acknowledge: the messages come again later." };
        return new Command("consume", "Print messages and acknowledge them.")
        {
            topic, group, tag, untilEmpty, max, invisible, noAck,
        }.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
        {
            var seconds = result.GetValue(invisible);
            if (seconds is not (>= 10 and <= 43_200))
            {
                throw new UsageException($"--invisible {seconds} is outside 10..43200 seconds.");
            }

            var reading = new MessageReading(channel, terminal, result.GetValue(topic)!, result.GetValue(group)!)
            {
                IsJson = isJson,
                TagExpression = result.GetValue(tag)!,
                EndsWhenEmpty = result.GetValue(untilEmpty),
                CountMax = result.GetValue(max),
                InvisibleDuration = TimeSpan.FromSeconds(seconds),
                Acknowledges = !result.GetValue(noAck),
            };
            return await reading.RunAsync(cancellationToken);
        });
    }
}
