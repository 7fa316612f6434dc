namespace Dledger.Bench.Targets;

/// <summary>Messages of one receive. Valid until the next receive of its consumer.</summary>
public interface IBenchDelivery
{
    int Count { get; }

    /// <summary>The body of the n-th message.</summary>
    ReadOnlySpan<byte> Body(int index);

    /// <summary>How often the n-th message has been delivered, this time included; 0: unknown.</summary>
    int Attempt(int index);

    /// <summary>All are done with; ends when the system has confirmed it, where it does.</summary>
    Task AckAsync(CancellationToken cancellationToken);

    /// <summary>Gives all back, so that they come again. Only called with <see cref="BenchAbilities.Return"/>.</summary>
    Task ReturnAsync(CancellationToken cancellationToken);
}
