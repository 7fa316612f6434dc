using System.CommandLine;
using System.CommandLine.Parsing;
using Dledger.Cli.Commands.Bench;
using Dledger.Cli.Commands.Clusters;
using Dledger.Cli.Commands.DeadLetters;
using Dledger.Cli.Commands.Groups;
using Dledger.Cli.Commands.Logs;
using Dledger.Cli.Commands.Lookups;
using Dledger.Cli.Commands.Members;
using Dledger.Cli.Commands.Messages;
using Dledger.Cli.Commands.Nodes;
using Dledger.Cli.Commands.Parking;
using Dledger.Cli.Commands.Producers;
using Dledger.Cli.Commands.Timers;
using Dledger.Cli.Commands.Topics;
using Dledger.Cli.Commands.Transactions;
using Dledger.Cli.Output;

namespace Dledger.Cli;

/// <summary>The tree of commands, noun then verb, and how a command line becomes an exit code.</summary>
internal static class CommandLine
{
    // A node that stops hands its leadership over and waits for calls under way; its own limits are shorter than this.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Parses and runs; answers go to the terminal's output, faults to its error stream.</summary>
    public static async Task<ExitCode> RunAsync(
        IReadOnlyList<string> arguments, Terminal terminal, CancellationToken cancellationToken = default)
    {
        var result = CreateRoot(terminal).Parse(arguments);
        if (result.Errors.Count > 0)
        {
            foreach (var error in result.Errors)
            {
                terminal.Fault(error.Message);
            }

            terminal.Advise($"See: dledger {PathOf(result.CommandResult)}--help");
            return ExitCode.Usage;
        }

        var configuration = new InvocationConfiguration
        {
            Output = terminal.Output,
            Error = terminal.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = StopTimeout,
        };
        return (ExitCode)await result.InvokeAsync(configuration, cancellationToken);
    }

    private static RootCommand CreateRoot(Terminal terminal) => new(
        "Dledger, a message broker that speaks the RocketMQ 5 protocol and replicates with Raft. "
        + "Exit codes: 0 ok, 1 unexpected, 2 usage or configuration, 3 unavailable, 4 not found, 5 refused, "
        + "6 damaged, 7 outcome unknown, 8 node fault, 130 interrupted.")
    {
        DevCommand.Create(terminal),
        ServeCommand.Create(terminal),
        new Command("topic", "Topics and their queues.")
        {
            TopicCreateCommand.Create(terminal),
            TopicListCommand.Create(terminal),
            TopicDescribeCommand.Create(terminal),
            TopicAlterCommand.Create(terminal),
            TopicDeleteCommand.Create(terminal),
            TopicRouteCommand.Create(terminal),
            new Command("lite", "Lite topics: cheap streams by name inside a topic of type LITE.")
            {
                LiteListCommand.Create(terminal),
                LiteDeleteCommand.Create(terminal),
            },
        },
        new Command("group", "Consumer groups and where they stand.")
        {
            GroupCreateCommand.Create(terminal),
            GroupListCommand.Create(terminal),
            GroupDescribeCommand.Create(terminal),
            GroupSeekCommand.Create(terminal),
            GroupReplayCommand.Create(terminal),
            GroupAlterCommand.Create(terminal),
            GroupDeleteCommand.Create(terminal),
            GroupPauseCommand.CreatePause(terminal),
            GroupPauseCommand.CreateResume(terminal),
        },
        new Command("parked", "Messages that wait for an operator after their last attempt.")
        {
            ParkedListCommand.Create(terminal),
            ParkedEndCommand.CreateRelease(terminal),
            ParkedEndCommand.CreateDrop(terminal),
        },
        new Command("timer", "Delayed messages that wait for their delivery time.")
        {
            TimerListCommand.Create(terminal),
            TimerShowCommand.Create(terminal),
            TimerCancelCommand.Create(terminal),
            TimerMoveCommand.Create(terminal),
        },
        new Command("txn", "Transactions: messages that wait for the decision of their producers.")
        {
            TxnListCommand.Create(terminal),
            TxnShowCommand.Create(terminal),
            TxnEndCommand.CreateCommit(terminal),
            TxnEndCommand.CreateRollback(terminal),
            TxnChecksCommand.Create(terminal),
        },
        ProduceCommand.Create(terminal),
        ConsumeCommand.Create(terminal),
        new Command("producer", "Producers that number their messages.")
        {
            ProducerListCommand.Create(terminal),
        },
        MessageCommand.Create(terminal),
        DeadLetterCommand.Create(terminal),
        BenchCommand.Create(terminal),
        new Command("cluster", "The nodes and who leads.")
        {
            ClusterStatusCommand.Create(terminal),
            ClusterTransferCommand.Create(terminal),
        },
        new Command("node", "The members of the cluster: add, remove, drain.")
        {
            NodeListCommand.Create(terminal),
            NodeAddCommand.Create(terminal),
            NodeRemoveCommand.Create(terminal),
            NodeDrainCommand.Create(terminal),
            NodeTransferCommand.Create(terminal),
        },
        new Command("log", "The log files of a node that is not running.")
        {
            LogVerifyCommand.Create(terminal),
            LogDumpCommand.Create(terminal),
        },
    };

    private static string PathOf(CommandResult? result)
    {
        var path = "";
        for (; result is { Command: not RootCommand }; result = result.Parent as CommandResult)
        {
            path = $"{result.Command.Name} {path}";
        }

        return path;
    }
}
