using Dledger.Bench.Measuring;

namespace Dledger.Bench.Running;

/// <summary>The bodies of one worker's sends, used again for each: noise that does not compress, behind a stamp.</summary>
internal sealed class BodyBatch
{
    private readonly Memory<byte>[] _bodies;
    private readonly uint _run;

    public BodyBatch(int count, int bytes, uint run)
    {
        _run = run;
        var all = new byte[count * bytes];
        new Random((int)run).NextBytes(all);
        _bodies = [.. Enumerable.Range(0, count).Select(i => all.AsMemory(i * bytes, bytes))];
        All = [.. _bodies.Select(body => (ReadOnlyMemory<byte>)body)];
        Bytes = all.Length;
    }

    public IReadOnlyList<ReadOnlyMemory<byte>> All { get; }

    /// <summary>Of all bodies together.</summary>
    public int Bytes { get; }

    public void Stamp(long intended, long number)
    {
        for (var i = 0; i < _bodies.Length; i++)
        {
            MessageStamp.Write(_bodies[i].Span, _run, intended, (number * _bodies.Length) + i);
        }
    }
}
