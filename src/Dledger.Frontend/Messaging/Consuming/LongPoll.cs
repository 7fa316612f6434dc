using Dledger.Frontend.Calls;
using Google.Protobuf.WellKnownTypes;

namespace Dledger.Frontend.Messaging.Consuming;

/// <summary>How long a call may wait for messages.</summary>
internal static class LongPoll
{
    /// <summary>What the client asks, at most the limit, and less than its deadline leaves.</summary>
    public static TimeSpan TimeOf(ClientCall call, Duration? wanted, FrontendOptions options)
    {
        var poll = options.LongPollMax;
        if (wanted is not null && WireTime.ToTimeSpan(wanted) < poll)
        {
            poll = WireTime.ToTimeSpan(wanted);
        }

        if (call.Remaining is { } remaining)
        {
            // A short deadline leaves room for a short wait, too.
            var margin = remaining / 4 < options.LongPollMargin ? remaining / 4 : options.LongPollMargin;
            poll = remaining - margin < poll ? remaining - margin : poll;
        }

        return poll;
    }
}
