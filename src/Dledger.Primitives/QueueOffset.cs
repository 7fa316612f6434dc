namespace Dledger.Primitives;

/// <summary>
/// The number of a message inside one queue, counted from 0 without gaps; assigned when its record is applied.
/// </summary>
public readonly record struct QueueOffset(long Value) : IComparable<QueueOffset>
{
    /// <inheritdoc/>
    public int CompareTo(QueueOffset other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    public static QueueOffset operator +(QueueOffset offset, long count) => new(offset.Value + count);

    public static long operator -(QueueOffset left, QueueOffset right) => left.Value - right.Value;

    public static bool operator <(QueueOffset left, QueueOffset right) => left.Value < right.Value;

    public static bool operator >(QueueOffset left, QueueOffset right) => left.Value > right.Value;

    public static bool operator <=(QueueOffset left, QueueOffset right) => left.Value <= right.Value;

    public static bool operator >=(QueueOffset left, QueueOffset right) => left.Value >= right.Value;
}
