using System.CommandLine;
using Dledger.Cli.Output;

namespace Dledger.Cli.Commands.Logs;

/// <summary><c>dledger log verify</c>: reads every byte of a log and checks checksums and the chain of frames.</summary>
internal static class LogVerifyCommand
{
    public static Command Create(Terminal terminal)
    {
        var directory = new Argument<string>("directory") { Description = "The data directory of a node that is not running." };
        var json = new Option<bool>("--json") { Description = "Answer with JSON." };
        var command = new Command("verify", "Check every checksum of a node's log.") { directory, json };
        command.SetAction((result, cancellationToken) => FaultReport.GuardAsync(terminal, () =>
        {
            var log = LogDirectory.Open(result.GetValue(directory)!).Verify(cancellationToken);
            var damage = log.Fault is { } fault ? $"at position {fault.Position}, {fault.Reason}" : null;
            if (result.GetValue(json))
            {
                JsonText.Write(terminal.Output, new
                {
                    Start = log.Start.Value,
                    End = log.End.Value,
                    Watermark = log.Watermark.Value,
                    log.SegmentCount,
                    log.FrameCount,
                    log.RecordCount,
                    LastTerm = log.LastTerm.Value,
                    log.TornTail,
                    Damage = damage,
                });
            }
            else
            {
                terminal.Output.WriteLine(
                    $"{log.SegmentCount} segments, {log.FrameCount} frames, {log.RecordCount} records, "
                    + $"positions {log.Start}..{log.End}, durable to {log.Watermark} at least, last term {log.LastTerm}");
                if (log.TornTail)
                {
                    terminal.Output.WriteLine($"an interrupted write behind {log.End}: no damage, the next start cuts it off");
                }
            }

            if (damage is null)
            {
                return Task.FromResult(ExitCode.Ok);
            }

            terminal.Fault($"The log is damaged: {damage}");
            terminal.Advise("Keep the directory, remove it from the node and let the node copy the log from the others.");
            return Task.FromResult(ExitCode.Damaged);
        }));
        return command;
    }
}
