using Dledger.Broker.Idempotence;

namespace Dledger.Broker.Naming;

/// <summary>The rules of producers that number their messages.</summary>
public static class ProducerRules
{
    /// <summary>Null for a good name; the empty one stands for a producer without.</summary>
    public static Violation? CheckName(string name)
    {
        if (name.Length > Limits.ProducerNameLengthMax)
        {
            return new Violation(
                BrokenRule.ProducerName,
                $"the producer's name has {name.Length} characters; the limit is {Limits.ProducerNameLengthMax}");
        }

        return name.All(character => char.IsAsciiLetterOrDigit(character) || character is '%' or '-' or '_' or '|' or '.')
            ? null
            : new Violation(
                BrokenRule.ProducerName, "a producer's name is made of letters, digits, '%', '-', '_', '|' and '.'");
    }

    /// <summary>Null when a batch may have these numbers, or has none.</summary>
    public static Violation? Check(ProducerSequence? sequence, int count)
    {
        if (sequence is not { } numbered)
        {
            return null;
        }

        if (numbered.ProducerId <= 0)
        {
            return new Violation(BrokenRule.Sequence, $"the producer id {numbered.ProducerId} is not above 0");
        }

        if (numbered.Epoch is < 0 or > Limits.ProducerEpochMax)
        {
            return new Violation(
                BrokenRule.Sequence, $"the producer epoch {numbered.Epoch} is outside 0 to {Limits.ProducerEpochMax}");
        }

        return numbered.First < 1 || numbered.First > int.MaxValue - count
            ? new Violation(
                BrokenRule.Sequence,
                $"the sequence {numbered.First} of {count} messages is outside 1 to {int.MaxValue - 1}; initialise a new producer")
            : null;
    }
}
