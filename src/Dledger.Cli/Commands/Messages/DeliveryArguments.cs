using System.CommandLine;
using System.Globalization;

namespace Dledger.Cli.Commands.Messages;

/// <summary>When a message is to be delivered, as it is written on the command line.</summary>
internal sealed class DeliveryArguments
{
    /// <summary>RocketMQ's delay levels 1 to 18, in seconds.</summary>
    private static readonly int[] Levels =
        [1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1_200, 1_800, 3_600, 7_200];

    private readonly Option<string?> _delay = new("--delay")
    {
        Description = "Deliver after this time, such as 10s or 2h.",
        HelpName = "time",
    };

    private readonly Option<string?> _deliverAt = new("--deliver-at")
    {
        Description = "Deliver at this time, such as 2026-12-24T18:00:00Z.",
        HelpName = "time",
    };

    private readonly Option<int?> _level = new("--delay-level")
    {
        Description = "Deliver after the time of a RocketMQ delay level, 1 (1 s) to 18 (2 h).",
        HelpName = "level",
    };

    private DeliveryArguments()
    {
    }

    /// <summary>Adds the options to a command.</summary>
    public static DeliveryArguments AddTo(Command command)
    {
        var arguments = new DeliveryArguments();
        command.Options.Add(arguments._delay);
        command.Options.Add(arguments._deliverAt);
        command.Options.Add(arguments._level);
        return arguments;
    }

    /// <summary>Null when nothing is given: at once.</summary>
    public DateTimeOffset? DeliverAt(ParseResult result)
    {
        var delay = result.GetValue(_delay);
        var deliverAt = result.GetValue(_deliverAt);
        var level = result.GetValue(_level);
        if ((delay is null ? 0 : 1) + (deliverAt is null ? 0 : 1) + (level is null ? 0 : 1) > 1)
        {
            throw new UsageException("Only one of --delay, --deliver-at and --delay-level can be given.");
        }

        if (level is { } number)
        {
            return number >= 1 && number <= Levels.Length
                ? DateTimeOffset.UtcNow + TimeSpan.FromSeconds(Levels[number - 1])
                : throw new UsageException(string.Create(
                    CultureInfo.InvariantCulture, $"--delay-level {number} is outside 1..{Levels.Length}."));
        }

        return delay is not null ? DateTimeOffset.UtcNow + DurationArgument.Parse("--delay", delay, "10s")
            : deliverAt is not null ? ParseTime("--deliver-at", deliverAt)
            : null;
    }

    /// <summary>A time with its offset from UTC; without one it is UTC.</summary>
    public static DateTimeOffset ParseTime(string option, string text) =>
        DateTimeOffset.TryParse(
            text,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var time)
            ? time
            : throw new UsageException(
                $"{option} '{text}' is not a time.", "Write date and time, such as 2026-12-24T18:00:00Z.");
}
