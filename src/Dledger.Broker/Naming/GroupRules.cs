using Dledger.Broker.Groups;

namespace Dledger.Broker.Naming;

/// <summary>The rules of a consumer group's settings.</summary>
public static class GroupRules
{
    /// <summary>Null when the group may be stored.</summary>
    public static Violation? Check(GroupSpec spec) => spec.Start is { } start && !Enum.IsDefined(start)
        ? new Violation(BrokenRule.GroupName, $"a group cannot start at {(int)start}")
        : Check(spec.Settings);

    /// <summary>Null when the settings may be stored.</summary>
    public static Violation? Check(GroupSettings settings)
    {
        if (settings.MaxAttempts is < 1 or > Limits.AttemptsMax)
        {
            return new Violation(
                BrokenRule.MaxAttempts,
                $"{settings.MaxAttempts} delivery attempts are asked for; 1 to {Limits.AttemptsMax} are allowed");
        }

        if (!Enum.IsDefined(settings.Mismatch))
        {
            return new Violation(
                BrokenRule.Mismatch, $"the mismatch policy {(int)settings.Mismatch} is not known; it is report or reject");
        }

        var backoff = settings.Backoff;
        if (backoff.IsExponential)
        {
            return backoff.Initial <= TimeSpan.Zero
                || backoff.Max < backoff.Initial
                || !double.IsFinite(backoff.Multiplier)
                || backoff.Multiplier < 1
                    ? new Violation(
                        BrokenRule.Backoff,
                        "an exponential back-off needs a positive first delay, a longest delay not below it, " +
                        "and a multiplier of 1 or more")
                    : null;
        }

        return backoff.Steps.Count > Limits.BackoffStepCountMax || backoff.Steps.Any(step => step < TimeSpan.Zero)
            ? new Violation(
                BrokenRule.Backoff,
                $"a back-off has at most {Limits.BackoffStepCountMax} steps, none of them negative")
            : null;
    }
}
