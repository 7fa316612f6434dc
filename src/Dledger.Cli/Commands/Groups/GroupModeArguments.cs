using System.CommandLine;
using Dledger.Client.Administration;
using Dledger.Server.Options;

namespace Dledger.Cli.Commands.Groups;

/// <summary>The modes of a consumer group as they are written on the command line; what is not given is null.</summary>
internal sealed class GroupModeArguments
{
    private readonly Option<string?> _poison = Choice(
        "--poison", "What becomes of a message after its last attempt.", "dead-letter", "block", "park");

    private readonly Option<string?> _ackMode = Choice(
        "--ack-mode", "When a message is consumed: acknowledged, or delivered.", "at-least-once", "at-most-once");

    private readonly Option<string?> _expiry = Choice(
        "--expiry", "What becomes of a message whose time to live is over.", "drop", "dead-letter");

    private readonly Option<bool?> _backoffOnExpiry = new("--backoff-on-expiry")
    {
        Description = "Wait also when nobody gave the message back.",
    };

    private readonly Option<bool?> _exclusive = new("--exclusive")
    {
        Description = "Deliver to one client at a time.",
    };

    private readonly Option<int?> _maxInFlight = new("--max-in-flight")
    {
        Description = "Most messages delivered and not consumed, 1 to 1000000.",
    };

    private readonly Option<int?> _maxInFlightPerClient = new("--max-in-flight-per-client")
    {
        Description = "The same for one client.",
    };

    private readonly QuotaArguments _quota = QuotaArguments.ForReceive();
    private readonly Option<bool?> _broadcast = new("--broadcast")
    {
        Description = "Deliver every message to each client; fixed when the group is created.",
    };

    private readonly Option<string?> _memberExpiry = new("--member-expiry")
    {
        Description = "Silence after which a client of a broadcast group is a member no more, like 30m; 2m to 7d.",
    };

    private readonly Option<int?> _liteQuota = new("--lite-quota")
    {
        Description = "Most lite topics that one client may read, 1 to 10000.",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(_poison);
        command.Options.Add(_ackMode);
        command.Options.Add(_expiry);
        command.Options.Add(_backoffOnExpiry);
        command.Options.Add(_exclusive);
        command.Options.Add(_maxInFlight);
        command.Options.Add(_maxInFlightPerClient);
        _quota.AddTo(command);
        command.Options.Add(_broadcast);
        command.Options.Add(_memberExpiry);
        command.Options.Add(_liteQuota);
    }

    public GroupModes Read(ParseResult result) => new()
    {
        Poison = result.GetValue(_poison) switch
        {
            "dead-letter" => PoisonMode.DeadLetter,
            "block" => PoisonMode.Block,
            "park" => PoisonMode.Park,
            _ => null,
        },
        AckMode = result.GetValue(_ackMode) switch
        {
            "at-least-once" => AckMode.AtLeastOnce,
            "at-most-once" => AckMode.AtMostOnce,
            _ => null,
        },
        Expiry = result.GetValue(_expiry) switch
        {
            "drop" => ExpiryMode.Drop,
            "dead-letter" => ExpiryMode.DeadLetter,
            _ => null,
        },
        BackoffOnExpiry = result.GetValue(_backoffOnExpiry),
        Exclusive = result.GetValue(_exclusive),
        MaxInFlight = result.GetValue(_maxInFlight),
        MaxInFlightPerClient = result.GetValue(_maxInFlightPerClient),
        ReceiveMessagesPerSecond = _quota.Messages(result),
        ReceiveBytesPerSecond = _quota.Bytes(result),
        Broadcast = result.GetValue(_broadcast),
        MemberExpiry = result.GetValue(_memberExpiry) is not { } text ? null
            : OptionText.TryParseDuration(text, out var expiry) ? TimeSpan.FromMicroseconds(expiry)
            : throw new UsageException($"--member-expiry '{text}' is no duration.", "Write it like 30m or 2h."),
        LiteSubscriptionQuota = result.GetValue(_liteQuota),
    };

    private static Option<string?> Choice(string name, string description, params string[] values)
    {
        var option = new Option<string?>(name) { Description = description };
        option.AcceptOnlyFromAmong(values);
        return option;
    }
}
