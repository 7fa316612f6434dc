using System.CommandLine;
using System.Globalization;
using Dledger.Server.Options;

namespace Dledger.Cli.Commands;

/// <summary>The two rates of a quota as they are written on the command line and shown.</summary>
internal sealed class QuotaArguments
{
    private readonly string _name;
    private readonly Option<long?> _messages;
    private readonly Option<string?> _bytes;

    private QuotaArguments(string direction, string what)
    {
        _name = $"--{direction}-bytes-per-second";
        _messages = new Option<long?>($"--{direction}-messages-per-second")
        {
            Description = $"Messages that {what} in a second; 0: no bound.",
            HelpName = "count",
        };
        _bytes = new Option<string?>(_name)
        {
            Description = $"Bytes of messages that {what} in a second, such as 500KiB or 10MiB; 0: no bound.",
            HelpName = "size",
        };
    }

    /// <summary>What may be sent to a topic.</summary>
    public static QuotaArguments ForProduce() => new("produce", "all of its producers together may send");

    /// <summary>What a group may be given.</summary>
    public static QuotaArguments ForReceive() => new("receive", "all of its consumers together may be given");

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_messages);
        command.Options.Add(_bytes);
    }

    /// <summary>Null when it is not given, 0 for no bound.</summary>
    public long? Messages(ParseResult result) => result.GetValue(_messages);

    /// <summary>The same in bytes.</summary>
    public long? Bytes(ParseResult result)
    {
        if (result.GetValue(_bytes) is not { } text)
        {
            return null;
        }

        return OptionText.TryParseSize(text, out var bytes)
            ? bytes
            : throw new UsageException($"{_name} '{text}' is not a size.", "Write bytes, or KiB, MiB, GiB, such as 10MiB; 0 for no bound.");
    }

    /// <summary>A quota for people; empty when there is none.</summary>
    /// <param name="verb">What those do whom it binds.</param>
    /// <param name="messages">Null: no bound.</param>
    /// <param name="bytes">The same.</param>
    public static string Describe(string verb, long? messages, long? bytes)
    {
        var parts = new List<string>();
        if (messages is { } count)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{count} messages"));
        }

        if (bytes is { } size)
        {
            parts.Add(OptionText.FormatSize(size));
        }

        return parts.Count == 0 ? "" : $", {verb} at most {string.Join(" and ", parts)} per second";
    }
}
