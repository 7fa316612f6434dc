using System.CommandLine;
using Dledger.Server.Options;

namespace Dledger.Cli.Commands.Topics;

/// <summary>What a topic keeps by its own wish, as it is written on the command line and shown.</summary>
internal sealed class RetentionArguments
{
    private const string NoWish = "default";

    private readonly Option<string?> _time = new("--retention-time")
    {
        Description = "How long its messages are kept, consumed or not, such as 90m, 2h or 240h; "
            + "'default': as long as the cluster's.",
        HelpName = "time",
    };

    private readonly Option<string?> _bytes = new("--retention-bytes")
    {
        Description = "Bytes of its messages above which the oldest go, such as 500MiB or 10GiB; 'default': no bound.",
        HelpName = "size",
    };

    private RetentionArguments()
    {
    }

    /// <summary>Adds the options to a command.</summary>
    public static RetentionArguments AddTo(Command command)
    {
        var arguments = new RetentionArguments();
        command.Options.Add(arguments._time);
        command.Options.Add(arguments._bytes);
        return arguments;
    }

    /// <summary>Null when it is not given, zero for that of the cluster.</summary>
    public TimeSpan? Time(ParseResult result)
    {
        var text = result.GetValue(_time);
        if (text is null or NoWish)
        {
            return text is null ? null : TimeSpan.Zero;
        }

        return DurationArgument.Parse("--retention-time", text, "2h");
    }

    /// <summary>Null when it is not given, 0 for no bound.</summary>
    public long? Bytes(ParseResult result)
    {
        var text = result.GetValue(_bytes);
        if (text is null or NoWish)
        {
            return text is null ? null : 0;
        }

        return OptionText.TryParseSize(text, out var bytes) && bytes > 0
            ? bytes
            : throw new UsageException(
                $"--retention-bytes '{text}' is not a size above zero.", "Write bytes, or KiB, MiB, GiB, such as 10GiB.");
    }

    /// <summary>What a topic keeps, for people; empty when it keeps what the cluster keeps.</summary>
    public static string Describe(TimeSpan? time, long? bytes)
    {
        var parts = new List<string>();
        if (time is { } kept)
        {
            parts.Add($"for {OptionText.FormatDuration((long)kept.TotalMicroseconds)}");
        }

        if (bytes is { } most)
        {
            parts.Add($"at most {OptionText.FormatSize(most)}");
        }

        return parts.Count == 0 ? "" : $", keeps messages {string.Join(", ", parts)}";
    }
}
