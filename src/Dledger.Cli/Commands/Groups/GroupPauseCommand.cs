using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Groups;

/// <summary><c>dledger group pause</c> and <c>dledger group resume</c></summary>
internal static class GroupPauseCommand
{
    public static Command CreatePause(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "The consumer group." };
        var reason = new Option<string>("--reason")
        {
            Description = "Why, for whoever looks at the group.",
            DefaultValueFactory = _ => "",
        };
        var duration = new Option<string?>("--for")
        {
            Description = "How long, such as 30s, 10m, 2h or 1d; without it until the group is resumed.",
            HelpName = "time",
        };
        return new Command("pause", "Deliver nothing to a consumer group for a while.") { name, reason, duration }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var time = result.GetValue(duration) is { } text ? PauseTime.Parse(text) : TimeSpan.Zero;
                var group = await new ParkingClient(channel).PauseAsync(
                    result.GetValue(name)!, result.GetValue(reason)!, time, cancellationToken);
                GroupAnswer.Write(terminal, group, isJson);
                return ExitCode.Ok;
            });
    }

    public static Command CreateResume(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = "The consumer group." };
        return new Command("resume", "Deliver to a paused consumer group again.") { name }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var group = await new ParkingClient(channel).ResumeAsync(result.GetValue(name)!, cancellationToken);
                GroupAnswer.Write(terminal, group, isJson);
                return ExitCode.Ok;
            });
    }
}
