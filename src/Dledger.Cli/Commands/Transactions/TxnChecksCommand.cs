using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Transactions;

/// <summary><c>dledger txn checks</c></summary>
internal static class TxnChecksCommand
{
    public static Command Create(Terminal terminal)
    {
        var topic = new Argument<string>("topic") { Description = "The topic." };
        var first = new Option<string?>("--first") { Description = "Age of a message at its first check, 1s to 1h.", HelpName = "time" };
        var interval = new Option<string?>("--interval") { Description = "Time between two checks, 1s to 1h.", HelpName = "time" };
        var count = new Option<int?>("--max") { Description = "Checks after which a message is given up, 1 to 100." };
        var webhook = new Option<string?>("--webhook")
        {
            Description = "Who is asked while no producer is connected; 'none' takes it away.",
            HelpName = "url",
        };
        var secret = new Option<string?>("--webhook-secret-file")
        {
            Description = "The file whose text signs what the webhook is asked.",
            HelpName = "path",
        };
        return new Command("checks", "Show or change when the producers of a topic are asked about undecided messages.")
        {
            topic, first, interval, count, webhook, secret,
        }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var url = result.GetValue(webhook);
                var checks = await new TransactionClient(channel).AlterChecksAsync(
                    new TransactionCheckAlteration(result.GetValue(topic)!)
                    {
                        FirstCheck = TimeOf("--first", result.GetValue(first)),
                        Interval = TimeOf("--interval", result.GetValue(interval)),
                        CountMax = result.GetValue(count),
                        WebhookUrl = url == "none" ? "" : url,
                        WebhookSecret = result.GetValue(secret) is { } path
                            ? (await File.ReadAllTextAsync(path, cancellationToken)).Trim()
                            : "",
                    },
                    cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, checks);
                }
                else
                {
                    terminal.Output.WriteLine(
                        $"first check after {checks.FirstCheck}, then every {checks.Interval}, at most {checks.CountMax}"
                        + (checks.WebhookUrl.Length == 0 ? "" : $"; webhook {checks.WebhookUrl}"));
                }

                return ExitCode.Ok;
            });
    }

    private static TimeSpan? TimeOf(string option, string? text) =>
        text is null ? null : DurationArgument.Parse(option, text, "30s");
}
