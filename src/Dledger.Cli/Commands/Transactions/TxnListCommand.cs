using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Transactions;

/// <summary><c>dledger txn list</c></summary>
internal static class TxnListCommand
{
    private const int CountDefault = 100;

    public static Command Create(Terminal terminal)
    {
        var topic = new Option<string?>("--topic", "-t") { Description = "Of one topic only." };
        var discarded = new Option<bool>("--discarded")
        {
            Description = "Those that were rolled back or given up, instead of the open ones.",
        };
        var count = new Option<int>("--max", "-n")
        {
            Description = "At most so many, 1 to 1000.",
            DefaultValueFactory = _ => CountDefault,
        };
        var after = new Option<string?>("--after") { Description = "Go on behind this transaction.", HelpName = "id" };
        return new Command("list", "List open or discarded transactions, the oldest first.") { topic, discarded, count, after }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var transactions = await new TransactionClient(channel).ListAsync(
                    result.GetValue(topic),
                    result.GetValue(discarded),
                    result.GetValue(count),
                    result.GetValue(after),
                    cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new { transactions });
                }
                else if (transactions.Count == 0)
                {
                    terminal.Error.WriteLine("no transactions");
                }
                else
                {
                    terminal.WriteTable(["TRANSACTION", "TOPIC", "MESSAGE", "MESSAGES", "CHECKS", "STATE"], transactions.Select(
                        transaction => (string[])
                        [
                            transaction.TransactionId,
                            transaction.Topic,
                            transaction.MessageId,
                            transaction.MessageCount.ToString(CultureInfo.InvariantCulture),
                            transaction.Checks.ToString(CultureInfo.InvariantCulture),
                            transaction.State.ToString(),
                        ]));
                }

                return ExitCode.Ok;
            });
    }
}
