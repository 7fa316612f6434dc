using Dledger.Frontend.Calls;

namespace Dledger.Frontend.Forwarding;

/// <summary>How long a call may take: until shortly before the caller's deadline, or a fixed time without
/// one.</summary>
internal readonly struct Patience
{
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly TimeSpan _total;

    private Patience(TimeProvider time, TimeSpan total)
    {
        _time = time;
        _start = time.GetTimestamp();
        _total = total;
    }

    public TimeSpan Elapsed => _time.GetElapsedTime(_start);

    /// <summary>What is left; zero when the answer is due.</summary>
    public TimeSpan Remaining
    {
        get
        {
            var left = _total - Elapsed;
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <param name="call">Whose deadline counts.</param>
    /// <param name="options">The longest time, and the margin before a deadline.</param>
    /// <param name="time">Clock.</param>
    /// <param name="poll">What the call may wait for messages on top.</param>
    public static Patience Of(ClientCall call, FrontendOptions options, TimeProvider time, TimeSpan poll = default)
    {
        var most = options.CallTimeMax + poll;
        if (call.Remaining is not { } remaining || remaining > most + options.ReplyMargin)
        {
            return new Patience(time, most);
        }

        var total = remaining - options.ReplyMargin;
        return new Patience(time, total > TimeSpan.Zero ? total : TimeSpan.Zero);
    }
}
