using System.CommandLine;
using Dledger.Cli.Output;
using Dledger.Client.Connections;

namespace Dledger.Cli.Commands;

/// <summary>The options of every command that talks to a cluster.</summary>
internal sealed class ClientArguments
{
    private const string Variable = "DLEDGER_ADDRESS";

    private readonly Option<string?> _address = new("--address", "-a")
    {
        Description = $"host:port of a node, or of several with commas between. Default: ${Variable}, "
            + $"else {DledgerChannelOptions.DefaultAddress}. https://host:port for TLS.",
        HelpName = "host:port",
    };

    private readonly Option<double> _wait = new("--wait")
    {
        Description = "Seconds to try again while no node takes the call.",
        DefaultValueFactory = _ => 10,
        HelpName = "seconds",
    };

    private readonly Option<bool> _insecure = new("--insecure")
    {
        Description = "With https: accept any certificate.",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Answer with JSON, one value per line." };

    private ClientArguments()
    {
    }

    /// <summary>Adds the options to a command.</summary>
    public static ClientArguments AddTo(Command command)
    {
        var arguments = new ClientArguments();
        command.Options.Add(arguments._address);
        command.Options.Add(arguments._wait);
        command.Options.Add(arguments._insecure);
        command.Options.Add(arguments._json);
        return arguments;
    }

    public bool IsJson(ParseResult result) => result.GetValue(_json);

    /// <summary>A channel to the cluster that the command line or the environment names.</summary>
    public DledgerChannel Open(ParseResult result, Terminal terminal)
    {
        var text = result.GetValue(_address)
            ?? terminal.Variables.GetValueOrDefault(Variable)
            ?? DledgerChannelOptions.DefaultAddress;
        var wait = result.GetValue(_wait);
        if (wait is not (>= 0 and <= 86_400))
        {
            throw new UsageException($"--wait {wait} is outside 0..86400 seconds.");
        }

        try
        {
            return new DledgerChannel(new DledgerChannelOptions
            {
                Addresses = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
                RetryTimeout = TimeSpan.FromSeconds(wait),
                AcceptAnyCertificate = result.GetValue(_insecure),
            });
        }
        catch (ArgumentException)
        {
            throw new UsageException(
                $"'{text}' is not the address of a node.", $"Write host:port, such as --address {DledgerChannelOptions.DefaultAddress}");
        }
    }
}
