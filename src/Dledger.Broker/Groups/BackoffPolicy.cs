namespace Dledger.Broker.Groups;

/// <summary>How long a push consumer that failed on a message should wait before it sees the message again.</summary>
/// <remarks>
/// The broker hands the policy to the clients, which ask for the delay by ChangeInvisibleDuration. A lease that simply runs out makes its
/// message visible at once, unless <see cref="GroupSettings.BackoffOnExpiry"/> is set.
/// </remarks>
public sealed record BackoffPolicy
{
    private static readonly TimeSpan[] DefaultSteps =
    [
        TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30),
        TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(4),
        TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(6), TimeSpan.FromMinutes(7), TimeSpan.FromMinutes(8),
        TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(20), TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(1), TimeSpan.FromHours(2),
    ];

    /// <summary>RocketMQ's table of 18 steps.</summary>
    public static readonly BackoffPolicy Default = Customized(DefaultSteps);

    private BackoffPolicy(IReadOnlyList<TimeSpan> steps, TimeSpan initial, TimeSpan max, double multiplier)
    {
        Steps = steps;
        Initial = initial;
        Max = max;
        Multiplier = multiplier;
    }

    /// <summary>
    /// A customised policy's delays: attempt n waits step min(n, count). Empty for an exponential policy.
    /// </summary>
    public IReadOnlyList<TimeSpan> Steps { get; }

    /// <summary>First delay of an exponential policy.</summary>
    public TimeSpan Initial { get; }

    /// <summary>Longest delay of an exponential policy.</summary>
    public TimeSpan Max { get; }

    /// <summary>Growth of an exponential policy from one delay to the next.</summary>
    public double Multiplier { get; }

    /// <summary>Whether the delays follow a formula instead of a table.</summary>
    public bool IsExponential => Steps.Count == 0;

    /// <summary>A table of delays.</summary>
    public static BackoffPolicy Customized(IReadOnlyList<TimeSpan> steps) => new(steps, default, default, 0);

    /// <summary>Policies are equal that give the same delays by the same rule.</summary>
    public bool Equals(BackoffPolicy? other) =>
        other is not null
        && Steps.SequenceEqual(other.Steps)
        && (Initial, Max, Multiplier) == (other.Initial, other.Max, other.Multiplier);

    /// <inheritdoc/>
    public override int GetHashCode() => (Steps.Count, Initial, Max, Multiplier).GetHashCode();

    /// <summary>delay(n) = min(max, initial * multiplier^(n-1)).</summary>
    public static BackoffPolicy Exponential(TimeSpan initial, TimeSpan max, double multiplier) =>
        new([], initial, max, multiplier);

    /// <summary>The delay after an attempt, from 1 on.</summary>
    public TimeSpan After(int attempt)
    {
        var step = Math.Max(1, attempt);
        if (!IsExponential)
        {
            return Steps[Math.Min(step, Steps.Count) - 1];
        }

        // Step by step and not by a power, whose last bits differ from machine to machine: apply asks for this.
        double ticks = Initial.Ticks;
        for (var i = 1; i < step && ticks < Max.Ticks && Multiplier > 1; i++)
        {
            ticks *= Multiplier;
        }

        return ticks >= Max.Ticks ? Max : new TimeSpan((long)ticks);
    }
}
