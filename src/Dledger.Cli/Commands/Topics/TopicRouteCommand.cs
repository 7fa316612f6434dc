using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Topics;

/// <summary><c>dledger topic route</c>: messages of a topic that also stand in others.</summary>
internal static class TopicRouteCommand
{
    public static Command Create(Terminal terminal) => new(
        "route", "Rules by which messages of a topic also stand in other topics.")
    {
        CreateAdd(terminal),
        CreateList(terminal),
        CreateRemove(terminal),
    };

    private static Command CreateAdd(Terminal terminal)
    {
        var topic = RequiredText("--topic", "Whose messages are meant.");
        var target = RequiredText("--to", "The topic that they also go to.");
        var name = new Option<string>("--name")
        {
            Description = "Tells the routes of a topic apart; the name of the target unless given.",
            DefaultValueFactory = _ => "",
        };
        var tag = new Option<string?>("--tag", "-t") { Description = "Only these tags: one, or several with || between." };
        var sql = new Option<string?>("--sql") { Description = "Only what an SQL expression over the properties wants." };
        var dryRun = DryRun();
        var command = new Command("add", "Add a route; it concerns what is sent from then on.") { topic, target, name, tag, sql, dryRun };
        return command.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
        {
            if (result.GetValue(tag) is not null && result.GetValue(sql) is not null)
            {
                throw new UsageException("A route has one filter.", "Give --tag or --sql, not both.");
            }

            var isTrial = result.GetValue(dryRun);
            var route = await new RouteClient(channel).AddAsync(
                new TopicRoute(result.GetValue(topic)!, result.GetValue(name)!, result.GetValue(target)!)
                {
                    Tags = result.GetValue(tag) ?? "*",
                    Sql = result.GetValue(sql),
                },
                isTrial,
                cancellationToken);
            if (isJson)
            {
                JsonText.Write(terminal.Output, new { route.Topic, route.Name, route.Target, Filter = FilterOf(route), DryRun = isTrial });
            }
            else
            {
                terminal.Output.WriteLine(
                    $"route {route.Name}: messages of topic {route.Topic} with {FilterOf(route)} "
                    + (isTrial ? $"would go to topic {route.Target} as well" : $"go to topic {route.Target} as well"));
            }

            return ExitCode.Ok;
        });
    }

    private static Command CreateList(Terminal terminal)
    {
        var topic = new Option<string?>("--topic") { Description = "Only the routes of this topic." };
        return new Command("list", "Show the routes.") { topic }.Serving(
            terminal,
            async (channel, result, isJson, cancellationToken) =>
            {
                var routes = await new RouteClient(channel).ListAsync(result.GetValue(topic), cancellationToken);
                if (isJson)
                {
                    JsonText.Write(terminal.Output, new
                    {
                        routes = routes.Select(route => new { route.Topic, route.Name, route.Target, Filter = FilterOf(route) }),
                    });
                }
                else if (routes.Count == 0)
                {
                    terminal.Error.WriteLine("no routes; add one: dledger topic route add --topic <topic> --to <topic>");
                }
                else
                {
                    terminal.WriteTable(["TOPIC", "ROUTE", "TARGET", "MESSAGES"], routes.Select(route => (string[])
                    [
                        route.Topic, route.Name, route.Target, FilterOf(route),
                    ]));
                }

                return ExitCode.Ok;
            });
    }

    private static Command CreateRemove(Terminal terminal)
    {
        var topic = RequiredText("--topic", "Whose route it is.");
        var name = RequiredText("--name", "The route, as 'dledger topic route list' shows it.");
        var dryRun = DryRun();
        var command = new Command("remove", "End a route; what it brought stays where it is.") { topic, name, dryRun };
        return command.Serving(terminal, async (channel, result, isJson, cancellationToken) =>
        {
            var isTrial = result.GetValue(dryRun);
            var (source, route) = (result.GetValue(topic)!, result.GetValue(name)!);
            await new RouteClient(channel).RemoveAsync(source, route, isTrial, cancellationToken);
            if (isJson)
            {
                JsonText.Write(terminal.Output, new { Topic = source, Removed = route, DryRun = isTrial });
            }
            else
            {
                terminal.Output.WriteLine($"route {route} of topic {source} {(isTrial ? "would be removed" : "removed")}");
            }

            return ExitCode.Ok;
        });
    }

    private static string FilterOf(TopicRoute route) =>
        route.Sql is { } sql ? $"SQL {sql}" : route.Tags == "*" ? "any tag" : $"tag {route.Tags}";

    private static Option<string> RequiredText(string name, string description) =>
        new(name) { Description = description, Required = true };

    private static Option<bool> DryRun() =>
        new("--dry-run") { Description = "Say what would come of it, and change nothing." };
}
