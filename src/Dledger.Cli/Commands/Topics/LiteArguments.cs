using System.CommandLine;
using Dledger.Client.Administration;
using Dledger.Server.Options;

namespace Dledger.Cli.Commands.Topics;

/// <summary>How a topic of type LITE keeps its lite topics, as it is written on the command line and shown.</summary>
internal sealed class LiteArguments
{
    private readonly Option<string?> _expiry = new("--lite-expiry")
    {
        Description = "How long an unused lite topic is kept at least, such as 24h; for topics of type LITE.",
        HelpName = "time",
    };

    private readonly Option<int?> _max = new("--lite-topics-max")
    {
        Description = "Most lite topics at a time, 1..100000; for topics of type LITE.",
    };

    private LiteArguments()
    {
    }

    /// <summary>Adds the options to a command.</summary>
    public static LiteArguments AddTo(Command command)
    {
        var arguments = new LiteArguments();
        command.Options.Add(arguments._expiry);
        command.Options.Add(arguments._max);
        return arguments;
    }

    /// <summary>Null when it is not given.</summary>
    public TimeSpan? Expiry(ParseResult result) =>
        result.GetValue(_expiry) is { } text ? DurationArgument.Parse("--lite-expiry", text, "24h") : null;

    /// <summary>Null when it is not given.</summary>
    public int? Max(ParseResult result) => result.GetValue(_max) is not { } max ? null
        : max > 0 ? max
        : throw new UsageException($"--lite-topics-max {max} is outside 1..100000.");

    /// <summary>What there is to say of a topic of type LITE, for people; else nothing.</summary>
    public static string Describe(TopicDescription topic) => topic.LiteExpiry is { } expiry
        ? $", has {topic.LiteTopicCount} lite topics of at most {topic.LiteTopicsMax}, "
            + $"which end unused after {OptionText.FormatDuration((long)expiry.TotalMicroseconds)}"
        : "";
}
