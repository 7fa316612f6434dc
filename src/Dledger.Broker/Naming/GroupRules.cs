using Dledger.Broker.Groups;

namespace Dledger.Broker.Naming;

/// <summary>The rules of a consumer group's settings.</summary>
public static class GroupRules
{
    /// <summary>Null when the group may be stored.</summary>
    public static Violation? Check(GroupSpec spec) => spec.Start is { } start && !Enum.IsDefined(start)
        ? new Violation(BrokenRule.GroupName, $"a group cannot start at {(int)start}")
        : Check(spec.Settings);

    /// <summary>Null when a pause may be stored.</summary>
    public static Violation? CheckPause(string reason, TimeSpan duration)
    {
        if (duration < TimeSpan.Zero || duration > Limits.PauseMax)
        {
            return new Violation(
                BrokenRule.Pause, $"a pause lasts at most {Limits.PauseMax.TotalDays} days; 0 stands for no end");
        }

        if (PropertyRules.HasControlCharacter(reason))
        {
            return new Violation(BrokenRule.Pause, "the reason of a pause contains a control character");
        }

        return System.Text.Encoding.UTF8.GetByteCount(reason) > Limits.PauseReasonBytesMax
            ? new Violation(
                BrokenRule.Pause, $"the reason of a pause is longer than {Limits.PauseReasonBytesMax} UTF-8 bytes")
            : null;
    }

    /// <summary>Null when the settings may be stored.</summary>
    public static Violation? Check(GroupSettings settings)
    {
        if (settings.LiteSubscriptionQuota is < 1 or > Limits.LiteSubscriptionQuotaMax)
        {
            return new Violation(
                BrokenRule.LiteSettings,
                $"{settings.LiteSubscriptionQuota} lite topics for each client are asked for; "
                + $"1 to {Limits.LiteSubscriptionQuotaMax} are allowed");
        }

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

        if (!Enum.IsDefined(settings.Poison) || !Enum.IsDefined(settings.AckMode) || !Enum.IsDefined(settings.Expiry))
        {
            return new Violation(BrokenRule.GroupMode, "a mode of the group has a value that does not exist");
        }

        if (settings.MaxInFlight is < 1 or > Limits.InFlightMax
            || settings.MaxInFlightPerClient is < 1 or > Limits.InFlightMax)
        {
            return new Violation(
                BrokenRule.InFlight,
                $"{settings.MaxInFlight} messages in flight, {settings.MaxInFlightPerClient} for each client, are asked for; " +
                $"1 to {Limits.InFlightMax} are allowed");
        }

        if (QuotaRules.Check("receive", settings.ReceiveQuota) is { } quota)
        {
            return quota;
        }

        var backoff = settings.Backoff;
        if (backoff.IsExponential)
        {
            return backoff.Initial <= TimeSpan.Zero
                || backoff.Max > Limits.BackoffMax
                || backoff.Max < backoff.Initial
                || !double.IsFinite(backoff.Multiplier)
                || backoff.Multiplier < 1
                    ? new Violation(
                        BrokenRule.Backoff,
                        "an exponential back-off needs a positive first delay, a longest delay not below it " +
                        $"and not above {Limits.BackoffMax.TotalDays} days, and a multiplier of 1 or more")
                    : null;
        }

        return backoff.Steps.Count > Limits.BackoffStepCountMax || backoff.Steps.Any(step => step < TimeSpan.Zero || step > Limits.BackoffMax)
            ? new Violation(
                BrokenRule.Backoff,
                $"a back-off has at most {Limits.BackoffStepCountMax} steps, none of them negative or above {Limits.BackoffMax.TotalDays} days")
            : null;
    }
}
