using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Transactions;

/// <summary><c>dledger txn commit</c> and <c>dledger txn rollback</c></summary>
internal static class TxnEndCommand
{
    public static Command CreateCommit(Terminal terminal) => Create(
        terminal, "commit", "Make the messages of open transactions visible, all in one step.", "committed", commits: true);

    public static Command CreateRollback(Terminal terminal) => Create(
        terminal, "rollback", "Discard the messages of open transactions.", "rolled back", commits: false);

    private static Command Create(Terminal terminal, string name, string description, string done, bool commits)
    {
        var ids = new Argument<string[]>("transactions")
        {
            Description = "As 'dledger txn list' shows them; all of them or none.",
            Arity = ArgumentArity.OneOrMore,
        };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be done." };
        return new Command(name, description) { ids, dryRun }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var transactions = result.GetValue(ids)!;
                var isDryRun = result.GetValue(dryRun);
                await new TransactionClient(channel).EndAsync(transactions, commits, isDryRun, cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new { transactions, outcome = done, dryRun = isDryRun });
                }
                else
                {
                    terminal.Output.WriteLine(
                        $"{transactions.Length} transactions {(isDryRun ? "would be " : "")}{done}");
                }

                return ExitCode.Ok;
            });
    }
}
