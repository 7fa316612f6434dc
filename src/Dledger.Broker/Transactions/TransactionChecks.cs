namespace Dledger.Broker.Transactions;

/// <summary>When the producers of a topic are asked about messages that they did not decide. RocketMQ's defaults.</summary>
/// <param name="FirstMicroseconds">Age of a message at its first check, unless the message says otherwise.</param>
/// <param name="IntervalMicroseconds">Time from one check to the next.</param>
/// <param name="CountMax">Checks after which a message is given up.</param>
public readonly record struct TransactionChecks(long FirstMicroseconds, long IntervalMicroseconds, int CountMax)
{
    public static readonly TransactionChecks Default = new(6_000_000, 30_000_000, 15);

    public TimeSpan First => TimeSpan.FromMicroseconds(FirstMicroseconds);

    public TimeSpan Interval => TimeSpan.FromMicroseconds(IntervalMicroseconds);
}
