using System.Globalization;

namespace Dledger.Broker.Naming;

/// <summary>The rules of a topic's settings.</summary>
public static class TopicRules
{
    /// <summary>Null when a topic may keep its messages so long and so many; zero and 0 mean no wish of its own.</summary>
    public static Violation? CheckRetention(TimeSpan time, long bytes)
    {
        if (time != TimeSpan.Zero && (time < Limits.RetentionTimeMin || time > Limits.RetentionTimeMax))
        {
            return new Violation(
                BrokenRule.Retention,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"a retention time of {time.TotalSeconds} s is asked for; {Limits.RetentionTimeMin.TotalSeconds} s to ")
                + string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Limits.RetentionTimeMax.TotalHours} h are allowed, and 0 for that of the cluster"));
        }

        return bytes is < 0 or > Limits.RetentionBytesMax
            ? new Violation(
                BrokenRule.Retention,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"a retention size of {bytes} bytes is asked for; 1 to {Limits.RetentionBytesMax} are allowed, ")
                + "and 0 for no bound")
            : null;
    }

    /// <summary>Null when a topic may remember message ids so long and so many; zero and 0 mean no window and the usual number.</summary>
    public static Violation? CheckIdWindow(TimeSpan time, long count)
    {
        if (time < TimeSpan.Zero || time > Limits.IdWindowTimeMax || (time > TimeSpan.Zero && time < Limits.IdWindowTimeMin))
        {
            return new Violation(
                BrokenRule.IdWindow,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"a window of message ids of {time.TotalSeconds} s is asked for; {Limits.IdWindowTimeMin.TotalSeconds} s to ")
                + string.Create(
                    CultureInfo.InvariantCulture, $"{Limits.IdWindowTimeMax.TotalHours} h are allowed, and 0 for none"));
        }

        return count is < 0 or > Limits.IdWindowCountMax
            ? new Violation(
                BrokenRule.IdWindow,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"a window of {count} message ids is asked for; 1 to {Limits.IdWindowCountMax} are allowed, ")
                + "and 0 for the usual number")
            : null;
    }
}
