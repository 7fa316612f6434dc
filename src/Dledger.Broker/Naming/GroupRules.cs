using Dledger.Broker.Deduplication;
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

    /// <summary>Null when a group may remember so what it processed.</summary>
    public static Violation? CheckDedup(DedupSettings dedup)
    {
        if (!Enum.IsDefined(dedup.Source))
        {
            return new Violation(BrokenRule.Dedup, $"the key source {(int)dedup.Source} of a group is not known");
        }

        if (dedup.Source == DedupSource.Property != dedup.Property.Length > 0 && dedup.Source != DedupSource.None)
        {
            return new Violation(
                BrokenRule.Dedup, "the name of a user property is given exactly when a user property is the key of a group's messages");
        }

        var nameBytes = System.Text.Encoding.UTF8.GetByteCount(dedup.Property);
        if (nameBytes > Limits.DedupPropertyBytesMax || PropertyRules.HasControlCharacter(dedup.Property))
        {
            return new Violation(
                BrokenRule.Dedup,
                $"the name of the user property that is a group's key has {nameBytes} bytes; 1 to {Limits.DedupPropertyBytesMax} without "
                + "control characters are allowed");
        }

        if (dedup.WindowMicroseconds != 0 && (dedup.Window < Limits.DedupWindowMin || dedup.Window > Limits.DedupWindowMax))
        {
            return new Violation(
                BrokenRule.Dedup,
                string.Create(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"processed keys are to be remembered for {dedup.Window.TotalSeconds} s; {Limits.DedupWindowMin.TotalSeconds} s to ")
                + string.Create(
                    System.Globalization.CultureInfo.InvariantCulture, $"{Limits.DedupWindowMax.TotalDays} days are allowed"));
        }

        return dedup.Count is < 0 or > Limits.DedupCountMax
            ? new Violation(
                BrokenRule.Dedup,
                $"{dedup.Count} processed keys are to be remembered; 1 to {Limits.DedupCountMax} are allowed, and 0 for the usual number")
            : null;
    }

    private static Violation? CheckBroadcast(GroupSettings settings)
    {
        if (settings.MemberExpiry < Limits.MemberExpiryMin || settings.MemberExpiry > Limits.MemberExpiryMax)
        {
            return new Violation(
                BrokenRule.GroupMode,
                $"members of a broadcast group shall end after {settings.MemberExpiry} of silence; "
                + $"{Limits.MemberExpiryMin} to {Limits.MemberExpiryMax} are allowed");
        }

        var refused = !settings.Broadcast ? null
            : settings.Exclusive ? "be exclusive: each of its clients receives every message"
            : settings.Poison == PoisonMode.Park ? "park messages: its poison mode is dead letter or block"
            : settings.Dedup.IsOn ? "remember processed keys: its clients process on their own"
            : null;
        return refused is null ? null : new Violation(BrokenRule.GroupMode, $"a broadcast group cannot {refused}");
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

        if (CheckDedup(settings.Dedup) is { } badDedup)
        {
            return badDedup;
        }

        if (CheckBroadcast(settings) is { } badBroadcast)
        {
            return badBroadcast;
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
