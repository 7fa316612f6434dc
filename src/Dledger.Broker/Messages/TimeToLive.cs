using System.Globalization;
using System.Text;
using Dledger.Broker.Naming;

namespace Dledger.Broker.Messages;

/// <summary>A message's own time to live: a user property that the broker honours.</summary>
/// <remarks>
/// Its value is a whole number of milliseconds, counted from the log time of the record in its queue, so a delayed message lives that long
/// from its delivery time on. It says how long the message may wait for its first and every other delivery; what is handed out may be
/// finished later.
/// </remarks>
public static class TimeToLive
{
    /// <summary>The key of the user property.</summary>
    public const string Property = "DLEDGER_TTL_MS";

    /// <summary><see cref="Property"/> as records hold it.</summary>
    internal static ReadOnlySpan<byte> PropertyUtf8 => "DLEDGER_TTL_MS"u8;

    /// <summary>The longest: ten years.</summary>
    public const long MillisecondsMax = 3_650L * 24 * 3_600 * 1_000;

    /// <summary>Null when the value of the property may be stored.</summary>
    public static Violation? Check(string value) => TryParse(value, out _)
        ? null
        : new Violation(
            BrokenRule.PropertyKey,
            $"the property {Property} must be a whole number of milliseconds from 1 to {MillisecondsMax}");

    /// <summary>Whether a message stored at a log time may not be delivered any more; times in microseconds.</summary>
    public static bool IsOver(IReadOnlyList<KeyValuePair<string, string>> properties, long storedAt, long now)
    {
        foreach (var (key, value) in properties)
        {
            if (key == Property)
            {
                return TryParse(value, out var milliseconds) && storedAt + (milliseconds * 1_000) <= now;
            }
        }

        return false;
    }

    /// <summary>The same of a stored property map.</summary>
    internal static bool IsOver(PropertyEnumerator properties, long storedAt, long now) =>
        TryFind(properties, out var value)
        && TryParse(Encoding.UTF8.GetString(value), out var milliseconds)
        && storedAt + (milliseconds * 1_000) <= now;

    /// <summary>Whether a stored property map has a time to live.</summary>
    internal static bool IsSet(PropertyEnumerator properties) => TryFind(properties, out _);

    private static bool TryFind(PropertyEnumerator properties, out ReadOnlySpan<byte> value)
    {
        while (properties.MoveNext())
        {
            if (properties.Kind == PropertyKind.UserProperty)
            {
                PropertyEnumerator.SplitUserProperty(properties.Content, out var key, out value);
                if (key.SequenceEqual(PropertyUtf8))
                {
                    return true;
                }
            }
        }

        value = default;
        return false;
    }

    private static bool TryParse(string value, out long milliseconds) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out milliseconds)
        && milliseconds is >= 1 and <= MillisecondsMax;
}
