using System.CommandLine;
using System.Globalization;
using Dledger.Client.Administration;
using Dledger.Server.Options;

namespace Dledger.Cli.Commands.Groups;

/// <summary>What a group remembers of processed messages, as it is written on the command line and shown.</summary>
internal sealed class GroupDedupArguments
{
    private const string PropertyPrefix = "property:";

    private readonly Option<string?> _by = new("--dedup-by")
    {
        Description = "Deliver one message of each key: message-id, key (the first business key), property:<name>, or off.",
        HelpName = "key",
    };

    private readonly Option<string?> _window = new("--dedup-window")
    {
        Description = "How long after its acknowledgement a key is remembered, such as 90m or 24h, up to 168h; 1h unless given.",
        HelpName = "time",
    };

    private readonly Option<long?> _count = new("--dedup-count")
    {
        Description = "Most keys remembered, 1..1000000; the oldest go first. 0: 100000.",
        HelpName = "count",
    };

    private GroupDedupArguments()
    {
    }

    public static GroupDedupArguments AddTo(Command command)
    {
        var arguments = new GroupDedupArguments();
        command.Options.Add(arguments._by);
        command.Options.Add(arguments._window);
        command.Options.Add(arguments._count);
        return arguments;
    }

    /// <summary>What is not given is null.</summary>
    public GroupDedup Read(ParseResult result)
    {
        var (by, property) = KeyOf(result.GetValue(_by));
        return new GroupDedup { By = by, Property = property, Window = WindowOf(result.GetValue(_window)), Count = result.GetValue(_count) };
    }

    /// <summary>For people; empty when the group remembers nothing.</summary>
    public static string Describe(GroupDedup? dedup) => dedup is null
        ? ""
        : string.Create(
            CultureInfo.InvariantCulture,
            $"one delivery for each {NameOf(dedup)} within {OptionText.FormatDuration((long)dedup.Window!.Value.TotalMicroseconds)}, at most ")
            + string.Create(CultureInfo.InvariantCulture, $"{dedup.Count} keys");

    private static string NameOf(GroupDedup dedup) => dedup.By switch
    {
        DedupBy.MessageId => "message id",
        DedupBy.Key => "key",
        _ => $"property {dedup.Property}",
    };

    private static (DedupBy? By, string? Property) KeyOf(string? text) => text switch
    {
        null => (null, null),
        "off" => (DedupBy.Nothing, null),
        "message-id" => (DedupBy.MessageId, null),
        "key" => (DedupBy.Key, null),
        _ when text.StartsWith(PropertyPrefix, StringComparison.Ordinal) && text.Length > PropertyPrefix.Length =>
            (DedupBy.Property, text[PropertyPrefix.Length..]),
        _ => throw new UsageException($"--dedup-by '{text}' is no key.", "Write message-id, key, property:<name> or off."),
    };

    private static TimeSpan? WindowOf(string? text) =>
        text is null ? null : DurationArgument.Parse("--dedup-window", text, "90m");
}
