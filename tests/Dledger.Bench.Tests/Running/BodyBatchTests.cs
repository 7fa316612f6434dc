using System.IO.Compression;
using Dledger.Bench.Measuring;
using Dledger.Bench.Running;

namespace Dledger.Bench.Tests.Running;

public sealed class BodyBatchTests
{
    [Theory]
    [InlineData(0, 0.95, 1.1)]
    [InlineData(50, 0.4, 0.6)]
    [InlineData(90, 0.05, 0.2)]
    [InlineData(100, 0.001, 0.1)]
    public void As_much_of_a_body_compresses_as_repeats_itself(int repetition, double least, double most)
    {
        var bodies = new BodyBatch(20, 4_096, run: 7, repetition);
        bodies.Stamp(intended: 1, number: 2);

        using var packed = new MemoryStream();
        using (var stream = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            foreach (var body in bodies.All)
            {
                stream.Write(body.Span);
            }
        }

        Assert.InRange(packed.Length / (20 * 4_096.0), least, most);
        Assert.All(bodies.All, body => Assert.True(MessageStamp.TryRead(body.Span, 7, out _)));
    }
}
