using System.Globalization;
using System.Text;
using Dledger.Cli.Output;
using Dledger.Client.Lookups;

namespace Dledger.Cli.Commands.Lookups;

/// <summary>How a looked up message is printed.</summary>
internal static class LookupAnswer
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The value for programs.</summary>
    public static object Of(FoundMessage message)
    {
        var (text, isText) = Decode(message.Body);
        return new
        {
            message.Topic,
            message.MessageId,
            message.QueueId,
            message.Offset,
            message.LogPosition,
            message.StoreTime,
            message.BornTime,
            message.BornHost,
            message.Tag,
            message.Keys,
            message.Properties,
            message.MessageGroup,
            message.Origin,
            message.BodyBytes,
            Body = isText ? text : null,
            BodyBase64 = isText ? null : text,
        };
    }

    /// <summary>All of a message for people, its body last.</summary>
    public static void Print(Terminal terminal, FoundMessage message)
    {
        terminal.Output.WriteLine($"message {Plain(message.MessageId)} of topic {message.Topic}");
        terminal.Output.WriteLine(
            $"  place     queue {message.QueueId}, offset {Text(message.Offset)}, log position {Text(message.LogPosition)}");
        terminal.Output.WriteLine($"  stored    {Time(message.StoreTime)}");
        terminal.Output.WriteLine($"  produced  {Time(message.BornTime)} by {Plain(message.BornHost)}");
        PrintLine(terminal, "tag", message.Tag);
        PrintLine(terminal, "group", message.MessageGroup);
        PrintLine(terminal, "keys", message.Keys.Count == 0 ? null : string.Join(' ', message.Keys));
        foreach (var (key, value) in message.Properties.OrderBy(property => property.Key, StringComparer.Ordinal))
        {
            PrintLine(terminal, "property", $"{key}={value}");
        }

        if (message.Origin is { } origin)
        {
            PrintLine(terminal, "origin", Describe(origin));
            PrintLine(terminal, "dead", $"{DescribeReason(origin)}, attempts {Text(origin.Attempts)}");
        }

        var (text, isText) = Decode(message.Body);
        terminal.Output.WriteLine(isText
            ? $"  body      {Text(message.BodyBytes)} bytes: {text}"
            : $"  body      {Text(message.BodyBytes)} bytes, in base 64: {text}");
    }

    /// <summary>One line of a message.</summary>
    public static string Line(FoundMessage message)
    {
        var (text, isText) = Decode(message.Body);
        var tag = message.Tag is null ? "" : $" [{Plain(message.Tag)}]";
        return $"{message.QueueId}/{Text(message.Offset)}{tag} {(isText ? text : $"({message.Body.Length} bytes)")}";
    }

    public static string Describe(FoundOrigin origin) =>
        $"topic {origin.Topic}, queue {origin.QueueId}, offset {Text(origin.Offset)}, stored {Time(origin.StoreTime)}";

    /// <summary>Why a message is a dead letter.</summary>
    public static string DescribeReason(FoundOrigin origin) =>
        origin.Reason switch
        {
            "attemptsUsedUp" => "out of attempts",
            "askedByConsumer" => "given up by its consumer",
            "droppedByOperator" => "parked, dropped by an operator",
            "timeToLiveOver" => "lived too long",
            var other => other,
        }
        + (origin.ClientId is { } client ? $", client {Plain(client)}" : "");

    /// <summary>Says on the error stream what a search could not see.</summary>
    public static void Warn(Terminal terminal, FoundMessages found)
    {
        if (found.NotSearched is [var first, ..])
        {
            terminal.Error.WriteLine(
                $"not all was searched: the key index of the leader lacks log positions {Text(first.Start)} to "
                + $"{Text(found.NotSearched[^1].End)} at present; try again later");
        }

        if (found.HasMore)
        {
            terminal.Error.WriteLine("there are more; raise --max, or narrow the time with --from and --to");
        }
    }

    public static string Time(DateTimeOffset? time) =>
        time?.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture) ?? "-";

    public static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>What a producer wrote, without what would move a terminal's cursor.</summary>
    public static string Plain(string text) =>
        string.Concat(text.Select(letter => char.IsControl(letter) ? '?' : letter));

    private static void PrintLine(Terminal terminal, string name, string? value)
    {
        if (value is not null)
        {
            terminal.Output.WriteLine($"  {name,-8}  {Plain(value)}");
        }
    }

    private static (string Text, bool IsText) Decode(ReadOnlyMemory<byte> body)
    {
        try
        {
            return (StrictUtf8.GetString(body.Span), true);
        }
        catch (DecoderFallbackException)
        {
            return (Convert.ToBase64String(body.Span), false);
        }
    }
}
