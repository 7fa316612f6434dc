using System.Text.Json.Serialization;
using Dledger.Cli.Output;
using Dledger.Client.Administration;

namespace Dledger.Cli.Commands.Groups;

/// <summary>A group as the commands answer it.</summary>
internal sealed record GroupAnswer(
    string Name,
    bool IsFifo,
    int MaxAttempts,
    IReadOnlyList<double> BackoffSeconds,
    GroupModes Modes,
    GroupPause? Pause)
{
    /// <summary>Left out when it remembers nothing of processed messages.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public GroupDedup? Dedup { get; init; }

    public static GroupAnswer Of(GroupDescription group) => new(
        group.Name, group.IsFifo, group.MaxAttempts, [.. group.Backoff.Select(wait => wait.TotalSeconds)], group.Modes, group.Pause)
    {
        Dedup = group.Dedup,
    };

    /// <summary>What is special about a group, for people; empty when nothing is.</summary>
    public static string Remarks(GroupDescription group)
    {
        var modes = group.Modes;
        List<string> remarks = [];
        Add(modes.Poison is PoisonMode.Block, "poison messages block");
        Add(modes.Poison is PoisonMode.Park, "poison messages are parked");
        Add(modes.AckMode is AckMode.AtMostOnce, "at most once");
        Add(modes.Exclusive is true, "exclusive");
        Add(modes.BackoffOnExpiry is true, "back-off on expiry");
        Add(modes.Broadcast is true, "broadcast");
        Add(group.Dedup is not null, GroupDedupArguments.Describe(group.Dedup));
        if (group.Pause is { } pause)
        {
            remarks.Add("paused"
                + (pause.Until is { } until ? $" until {until:yyyy-MM-dd HH:mm:ss}Z" : "")
                + (pause.Reason.Length > 0 ? $" ({pause.Reason})" : ""));
        }

        return string.Concat(remarks.Select(remark => $", {remark}"))
            + QuotaArguments.Describe("is given", modes.ReceiveMessagesPerSecond, modes.ReceiveBytesPerSecond);

        void Add(bool applies, string remark)
        {
            if (applies)
            {
                remarks.Add(remark);
            }
        }
    }

    /// <summary>One group, for programs or for people.</summary>
    public static void Write(Terminal terminal, GroupDescription group, bool isJson)
    {
        if (isJson)
        {
            JsonText.Write(terminal.Output, Of(group));
        }
        else
        {
            terminal.Output.WriteLine($"group {group.Name}, {group.MaxAttempts} attempts{(group.IsFifo ? ", in order" : "")}{Remarks(group)}");
        }
    }
}
