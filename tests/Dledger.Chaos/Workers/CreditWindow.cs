namespace Dledger.Chaos.Workers;

/// <summary>Since when a delivery of a stream can have been leased: it was made ahead of the call that took it, but not without credit.</summary>
/// <remarks>
/// A node delivers while the client has granted more bytes than it was sent. The client grants what it was given first, and then again what
/// it took: so when a delivery was made, less than that lay untaken before it. Whoever counts too few bytes for what was taken only names
/// an earlier moment, never one that is too late.
/// </remarks>
/// <param name="creditBytes">What the client grants first.</param>
/// <param name="begin">When the consumer began, ns.</param>
internal sealed class CreditWindow(long creditBytes, long begin)
{
    private readonly Queue<(long Time, long Bytes)> _taken = new();
    private long _bytes;
    private long _since = begin;

    /// <summary>A delivery is taken by a call that began at some moment; the earliest moment at which it can have been leased, ns.</summary>
    public long Take(long begun, long bytes)
    {
        while (_bytes >= creditBytes)
        {
            var (time, first) = _taken.Dequeue();
            (_bytes, _since) = (_bytes - first, time);
        }

        _taken.Enqueue((begun, bytes));
        _bytes += bytes;
        return _since;
    }
}
