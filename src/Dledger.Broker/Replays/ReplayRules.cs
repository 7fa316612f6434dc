using System.Text;
using Dledger.Broker.Naming;

namespace Dledger.Broker.Replays;

/// <summary>The rules of a replay's selection.</summary>
internal static class ReplayRules
{
    /// <summary>Null when the selection may be run.</summary>
    public static Violation? Check(ReplayRequest request) =>
        (Names.CheckGroup(request.Group) ?? Names.CheckTopic(request.Topic)) is { } name ? name
        : CheckOffsets(request) ?? CheckTimes(request) ?? CheckKeys(request)
            ?? (request.Limit < 0
                ? new Violation(BrokenRule.Replay, $"the limit is {request.Limit}; it is 0 for none or above")
                : null);

    private static Violation? CheckOffsets(ReplayRequest request)
    {
        if (request.FirstOffset is null && request.LastOffset is null)
        {
            return null;
        }

        if (request.QueueId is null)
        {
            return new Violation(BrokenRule.Replay, "offsets are those of one queue: name the queue");
        }

        if (request.FromMicroseconds is not null || request.ToMicroseconds is not null)
        {
            return new Violation(BrokenRule.Replay, "the range is given by offsets and by times; one of them is allowed");
        }

        var (first, last) = (request.FirstOffset ?? 0, request.LastOffset ?? long.MaxValue);
        return first < 0 || last < first
            ? new Violation(
                BrokenRule.Replay, $"offsets {first} to {last} are no range: the first is 0 or above, the last not below it")
            : null;
    }

    private static Violation? CheckTimes(ReplayRequest request) =>
        request is { FromMicroseconds: { } from, ToMicroseconds: { } to } && from >= to
            ? new Violation(BrokenRule.Replay, $"the time range ends at {to} and begins at {from}: nothing lies in it")
            : null;

    private static Violation? CheckKeys(ReplayRequest request)
    {
        if (request.Keys.Count + request.MessageIds.Count > Limits.ReplayKeyCountMax)
        {
            return new Violation(
                BrokenRule.Replay,
                $"{request.Keys.Count + request.MessageIds.Count} keys and message ids are named; "
                    + $"the limit is {Limits.ReplayKeyCountMax}");
        }

        return request.Keys.Concat(request.MessageIds)
            .Any(static key => key.Length == 0 || Encoding.UTF8.GetByteCount(key) > Limits.UserPropertyBytesMax)
                ? new Violation(
                    BrokenRule.Replay,
                    $"a key or message id is empty or longer than {Limits.UserPropertyBytesMax} UTF-8 bytes")
                : null;
    }
}
