using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Producers;

/// <summary><c>dledger producer list</c></summary>
internal static class ProducerListCommand
{
    public static Command Create(Terminal terminal) =>
        new Command("list", "List the producers that number their messages, unused for longest first.").Serving(
            terminal,
            async (channel, _, isJson, cancellationToken) =>
            {
                var producers = await new ProducerClient(channel).ListAsync(cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new { producers });
                }
                else if (producers.Count == 0)
                {
                    terminal.Error.WriteLine("no producer is known; those of the .NET client are, once they sent something");
                }
                else
                {
                    terminal.WriteTable(["PRODUCER", "NAME", "EPOCH", "LAST USED", "TOPICS"], producers.Select(producer => (string[])
                    [
                        producer.ProducerId.ToString(CultureInfo.InvariantCulture),
                        producer.Name.Length == 0 ? "-" : producer.Name,
                        producer.Epoch.ToString(CultureInfo.InvariantCulture),
                        producer.UsedAt.UtcDateTime.ToString("u", CultureInfo.InvariantCulture),
                        string.Join(", ", producer.Topics.Select(topic => $"{topic.Topic} {topic.LastSequence}")),
                    ]));
                }

                return ExitCode.Ok;
            });
}
