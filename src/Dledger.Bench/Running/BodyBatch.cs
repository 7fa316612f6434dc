using Dledger.Bench.Measuring;

namespace Dledger.Bench.Running;

/// <summary>The bodies of one worker's sends, used again for each: behind a stamp noise that does not compress, and words that do.</summary>
internal sealed class BodyBatch
{
    private readonly Memory<byte>[] _bodies;
    private readonly uint _run;

    /// <param name="count">Bodies.</param>
    /// <param name="bytes">Of each.</param>
    /// <param name="run">What the noise is drawn from.</param>
    /// <param name="repetition">Percent of each that says the same again and again.</param>
    public BodyBatch(int count, int bytes, uint run, int repetition = 0)
    {
        _run = run;
        var all = new byte[count * bytes];
        new Random((int)run).NextBytes(all);
        _bodies = [.. Enumerable.Range(0, count).Select(i => all.AsMemory(i * bytes, bytes))];
        foreach (var body in _bodies)
        {
            var words = body.Span[^(int)((long)bytes * repetition / 100)..];
            for (var i = 0; i < words.Length; i++)
            {
                words[i] = Words[i % Words.Length];
            }
        }

        All = [.. _bodies.Select(body => (ReadOnlyMemory<byte>)body)];
        Bytes = all.Length;
    }

    private static ReadOnlySpan<byte> Words => "{\"order\":\"\",\"customer\":\"\",\"amount\":0.00,\"currency\":\"EUR\"},"u8;

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
