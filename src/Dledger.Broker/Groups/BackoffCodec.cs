using Dledger.Broker.Commands;
using Dledger.Primitives;

namespace Dledger.Broker.Groups;

/// <summary>The stored form of a <see cref="BackoffPolicy"/>. Layout: Commands/FORMAT.md.</summary>
internal static class BackoffCodec
{
    private const byte CustomizedKind = 0;
    private const byte ExponentialKind = 1;

    public static void Write(ByteWriter writer, BackoffPolicy policy)
    {
        if (policy.IsExponential)
        {
            writer.Byte(ExponentialKind);
            writer.Int64(policy.Initial.Ticks);
            writer.Int64(policy.Max.Ticks);
            writer.Int64(BitConverter.DoubleToInt64Bits(policy.Multiplier));
            return;
        }

        writer.Byte(CustomizedKind);
        writer.Int32(policy.Steps.Count);
        foreach (var step in policy.Steps)
        {
            writer.Int64(step.Ticks);
        }
    }

    public static BackoffPolicy Read(ref ByteReader reader)
    {
        var kind = reader.Byte();
        if (kind == ExponentialKind)
        {
            return BackoffPolicy.Exponential(
                new TimeSpan(reader.Int64()),
                new TimeSpan(reader.Int64()),
                BitConverter.Int64BitsToDouble(reader.Int64()));
        }

        Invariant.Check(kind == CustomizedKind, $"a stored back-off has kind {kind}");
        var steps = new TimeSpan[reader.Count(8)];
        for (var i = 0; i < steps.Length; i++)
        {
            steps[i] = new TimeSpan(reader.Int64());
        }

        return BackoffPolicy.Customized(steps);
    }
}
