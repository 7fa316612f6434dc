using System.CommandLine;
using System.Globalization;
using Dledger.Cli.Output;
using Dledger.Primitives;
using Dledger.Storage.Logs;

namespace Dledger.Cli.Commands.Logs;

/// <summary><c>dledger log dump</c>: lists the frames of a log and the records in them.</summary>
internal static class LogDumpCommand
{
    public static Command Create(Terminal terminal)
    {
        var directory = new Argument<string>("directory") { Description = "The data directory of a node that is not running." };
        var from = new Option<long>("--from") { Description = "Position to begin with.", HelpName = "position" };
        var to = new Option<long>("--to")
        {
            Description = "Position to end before.",
            DefaultValueFactory = _ => long.MaxValue,
            HelpName = "position",
        };
        var json = new Option<bool>("--json") { Description = "Answer with JSON, one frame per line." };
        var command = new Command("dump", "List frames and records of a node's log.") { directory, from, to, json };
        command.SetAction((result, cancellationToken) => FaultReport.GuardAsync(terminal, () =>
        {
            var log = LogDirectory.Open(result.GetValue(directory)!);
            var frames = log.ReadFrames(new LogPosition(result.GetValue(from)), new LogPosition(result.GetValue(to)));
            var exit = ExitCode.Ok;
            foreach (var frame in frames)
            {
                cancellationToken.ThrowIfCancellationRequested();
                exit = frame.Records.Any(record => record.Fault is not null) ? ExitCode.Damaged : exit;
                if (result.GetValue(json))
                {
                    WriteJson(terminal, frame);
                }
                else
                {
                    WriteText(terminal, frame);
                }
            }

            return Task.FromResult(exit);
        }));
        return command;
    }

    private static void WriteText(Terminal terminal, InspectedFrame frame)
    {
        var summary = frame.Header.Summary;
        terminal.Output.WriteLine(
            $"{summary.Base} frame, {summary.Length} bytes, term {summary.Term}, {summary.Flags}, crc {summary.HeaderCrc:x8}");
        foreach (var record in frame.Records)
        {
            var header = record.Header;
            terminal.Output.WriteLine(record.Fault is { } fault
                ? $"  {record.Position} damaged: {fault}"
                : $"  {record.Position} {header.Kind}, {header.Length} bytes, topic {header.TopicId}, queue {header.QueueId}, "
                    + $"stored {TimeOf(header.StoreTime)}");
        }
    }

    private static void WriteJson(Terminal terminal, InspectedFrame frame)
    {
        var summary = frame.Header.Summary;
        JsonText.Write(terminal.Output, new
        {
            Position = summary.Base.Value,
            summary.Length,
            Term = summary.Term.Value,
            Flags = summary.Flags.ToString(),
            HeaderCrc = summary.HeaderCrc.ToString("x8", CultureInfo.InvariantCulture),
            frame.Segment,
            Records = frame.Records.Select(record => new
            {
                Position = record.Position.Value,
                Kind = record.Header.Kind.ToString(),
                record.Header.Length,
                record.Header.TopicId,
                record.Header.QueueId,
                StoreTimeMicroseconds = record.Header.StoreTime,
                record.Fault,
            }),
        });
    }

    private static string TimeOf(long microseconds) =>
        DateTimeOffset.UnixEpoch.AddMicroseconds(microseconds).ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
}
