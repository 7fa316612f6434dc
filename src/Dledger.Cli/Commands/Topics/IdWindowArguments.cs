using System.CommandLine;
using System.Globalization;
using Dledger.Server.Options;

namespace Dledger.Cli.Commands.Topics;

/// <summary>Which messages a topic knows by their ids, as it is written on the command line and shown.</summary>
internal sealed class IdWindowArguments
{
    private const string Off = "off";

    private readonly Option<string?> _time = new("--dedup-time")
    {
        Description = "How long a message is known by its id, so that a repeat is stored once, such as 2m or 24h; 'off': not at all.",
        HelpName = "time",
    };

    private readonly Option<long?> _count = new("--dedup-count")
    {
        Description = "Most message ids remembered, 1..1000000; the oldest go first. 0: 100000.",
        HelpName = "count",
    };

    private IdWindowArguments()
    {
    }

    /// <summary>Adds the options to a command.</summary>
    public static IdWindowArguments AddTo(Command command)
    {
        var arguments = new IdWindowArguments();
        command.Options.Add(arguments._time);
        command.Options.Add(arguments._count);
        return arguments;
    }

    /// <summary>Null when it is not given, zero for no window.</summary>
    public TimeSpan? Time(ParseResult result)
    {
        var text = result.GetValue(_time);
        if (text is null or Off)
        {
            return text is null ? null : TimeSpan.Zero;
        }

        return DurationArgument.Parse("--dedup-time", text, "2m, or 'off'");
    }

    /// <summary>Null when it is not given.</summary>
    public long? Count(ParseResult result) => result.GetValue(_count);

    /// <summary>What a topic knows, for people; empty when it has no window.</summary>
    public static string Describe(TimeSpan? time, long? count) => time is { } known
        ? string.Create(
            CultureInfo.InvariantCulture,
            $", knows message ids for {OptionText.FormatDuration((long)known.TotalMicroseconds)}, at most {count}")
        : "";
}
