using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Topics;

/// <summary><c>dledger topic lite list</c></summary>
internal static class LiteListCommand
{
    /// <summary>Most lite topics of one answer.</summary>
    public const int LimitMax = 1_000;

    public static Command Create(Terminal terminal)
    {
        var topic = new Option<string>("--topic", "-t") { Description = "The parent, a topic of type LITE.", Required = true };
        var limit = new Option<int>("--limit", "-n")
        {
            Description = $"Most lite topics to list, 1..{LimitMax}.",
            DefaultValueFactory = _ => 100,
        };
        var after = new Option<string>("--after")
        {
            Description = "Names behind this one.",
            DefaultValueFactory = _ => "",
        };
        return new Command("list", "List the lite topics of a topic, by name.") { topic, limit, after }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var wanted = result.GetValue(limit);
                if (wanted is < 1 or > LimitMax)
                {
                    throw new UsageException(string.Create(
                        CultureInfo.InvariantCulture, $"--limit {wanted} is outside 1..{LimitMax}."));
                }

                var page = await new LiteTopicClient(channel).ListAsync(
                    result.GetValue(topic)!, result.GetValue(after)!, wanted, cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new { liteTopics = page.LiteTopics, page.HasMore });
                    return ExitCode.Ok;
                }

                if (page.LiteTopics.Count == 0)
                {
                    terminal.Error.WriteLine("no lite topics; the first message to one makes it");
                    return ExitCode.Ok;
                }

                terminal.WriteTable(["LITE TOPIC", "QUEUE", "MIN OFFSET", "MAX OFFSET", "LAST ACTIVE"], page.LiteTopics.Select(
                    lite => (string[])
                    [
                        lite.Name,
                        Text(lite.QueueId),
                        Text(lite.MinOffset),
                        Text(lite.MaxOffset),
                        lite.LastActiveAt.ToString("u", CultureInfo.InvariantCulture),
                    ]));
                if (page.HasMore)
                {
                    terminal.Error.WriteLine($"go on with: --after {page.LiteTopics[^1].Name}");
                }

                return ExitCode.Ok;
            });
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
