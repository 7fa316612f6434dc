using System.CommandLine;
using System.Text;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Transactions;

/// <summary><c>dledger txn show</c></summary>
internal static class TxnShowCommand
{
    public static Command Create(Terminal terminal)
    {
        var id = new Argument<string>("transaction") { Description = "As 'dledger txn list' shows it." };
        return new Command("show", "Show a transaction with its messages.") { id }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var (transaction, messages) = await new TransactionClient(channel).ShowAsync(
                    result.GetValue(id)!, cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new { transaction, messages });
                    return ExitCode.Ok;
                }

                terminal.Output.WriteLine(
                    $"transaction {transaction.TransactionId} of topic {transaction.Topic}: {transaction.State}, "
                    + $"{transaction.MessageCount} messages, stored {transaction.StoredAt:O}, asked {transaction.Checks} times");
                foreach (var message in messages)
                {
                    terminal.Output.WriteLine($"{message.MessageId} {Printable(message.Body)}");
                }

                if (messages.Count < transaction.MessageCount)
                {
                    terminal.Error.WriteLine(
                        $"{transaction.MessageCount - messages.Count} messages cannot be read: the log has given them up");
                }

                return ExitCode.Ok;
            });
    }

    // What a producer wrote must not move the cursor of who looks at it.
    private static string Printable(byte[] body) =>
        string.Concat(Encoding.UTF8.GetString(body).Select(character => char.IsControl(character) ? '?' : character));
}
