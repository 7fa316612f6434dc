using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Commands.Messages;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Timers;

/// <summary>Which delayed messages a command means, and how they are shown.</summary>
internal sealed class TimerArguments
{
    private readonly Argument<string> _topic = new("topic") { Description = "Their topic." };
    private readonly Option<string?> _key = new("--key", "-k") { Description = "Only those that bear this key." };
    private readonly Option<string?> _id = new("--id") { Description = "Only the one with this message id." };

    private readonly Option<string?> _from = new("--from")
    {
        Description = "Only those to be delivered at this time or later, such as 2026-12-24T18:00:00Z.",
        HelpName = "time",
    };

    private readonly Option<string?> _until = new("--until")
    {
        Description = "Only those to be delivered before this time.",
        HelpName = "time",
    };

    private TimerArguments()
    {
    }

    /// <summary>Adds topic and conditions to a command.</summary>
    public static TimerArguments AddTo(Command command)
    {
        var arguments = new TimerArguments();
        command.Arguments.Add(arguments._topic);
        command.Options.Add(arguments._key);
        command.Options.Add(arguments._id);
        command.Options.Add(arguments._from);
        command.Options.Add(arguments._until);
        return arguments;
    }

    public string Topic(ParseResult result) => result.GetValue(_topic)!;

    /// <summary>Whether any condition is given.</summary>
    public bool IsNarrowed(ParseResult result) => result.GetValue(_key) is not null || result.GetValue(_id) is not null
        || result.GetValue(_from) is not null || result.GetValue(_until) is not null;

    public PendingTimerSelection Selection(ParseResult result) => new(Topic(result))
    {
        Key = result.GetValue(_key),
        MessageId = result.GetValue(_id),
        From = result.GetValue(_from) is { } from ? DeliveryArguments.ParseTime("--from", from) : null,
        Until = result.GetValue(_until) is { } until ? DeliveryArguments.ParseTime("--until", until) : null,
    };

    /// <summary>What a program is told of a message.</summary>
    public static object ToJson(PendingTimer timer) => new
    {
        timer.MessageId,
        timer.DeliverAt,
        timer.StoredAt,
        timer.Keys,
        timer.Tag,
        timer.BodyBytes,
        timer.RecallHandle,
        timer.IsUnreadable,
    };

    /// <summary>What people are told of messages.</summary>
    public static void WriteTable(Terminal terminal, IEnumerable<PendingTimer> timers) => terminal.WriteTable(
        ["DELIVER AT", "MESSAGE", "KEYS", "TAG", "BYTES"],
        timers.Select(timer => (string[])
        [
            timer.DeliverAt.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture),
            timer.IsUnreadable ? "(unreadable at present)" : timer.MessageId,
            string.Join(" ", timer.Keys),
            timer.Tag ?? "",
            timer.BodyBytes.ToString(CultureInfo.InvariantCulture),
        ]));
}
