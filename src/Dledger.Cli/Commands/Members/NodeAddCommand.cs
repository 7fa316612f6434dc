using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Members;

/// <summary><c>dledger node add</c></summary>
internal static class NodeAddCommand
{
    public static Command Create(Terminal terminal)
    {
        var place = new Argument<string>("id=host:port")
        {
            Description = "Number of the node, and where the other nodes reach it (its peerPort).",
        };
        var timeout = MembershipWait.Timeout();
        return new Command(
            "add", "Make a running node a voter, once it has caught up. Also replaces a voter that lost its disk.")
        {
            place, timeout,
        }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var (node, host, port) = Parse(result.GetValue(place)!);
                var admin = new AdminClient(channel);
                var progress = await MembershipWait.UntilDoneAsync(
                    terminal, result.GetValue(timeout), () => admin.AddNodeAsync(node, host, port, cancellationToken));
                return MembershipWait.Report(
                    terminal, isJson, progress, node, $"node {node} is a voter", $"Node {node} is not a voter yet");
            });
    }

    private static (int Node, string Host, int Port) Parse(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var colon = text.LastIndexOf(':');
        return equals > 0 && colon > equals + 1
            && int.TryParse(text.AsSpan(0, equals), NumberStyles.None, CultureInfo.InvariantCulture, out var node)
            && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? (node, text[(equals + 1)..colon].Trim('[', ']'), port)
            : throw new UsageException(
                $"'{text}' is not a node and its address.", "Write <id>=<host>:<peerPort>, such as 4=node4.example:9081");
    }
}
