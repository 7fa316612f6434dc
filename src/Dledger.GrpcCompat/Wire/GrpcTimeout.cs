using System.Globalization;

namespace Dledger.GrpcCompat.Wire;

/// <summary>The value of <c>grpc-timeout</c>: one to eight digits and a unit (H, M, S, m, u or n).</summary>
/// <remarks>gRPC over HTTP/2, "Timeout". Formatting rounds up, so that the peer never gives up before we do.</remarks>
internal static class GrpcTimeout
{
    private const int DigitsMax = 8;
    private const long ValueMax = 99_999_999;

    /// <summary>
    /// A year of 365 days, a hundred times over: longer waits are cut to it, since dates could overflow.
    /// </summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(36_500);

    private static readonly (long Ticks, char Unit)[] UnitsByTicks =
    [
        (TimeSpan.TicksPerMicrosecond, 'u'),
        (TimeSpan.TicksPerMillisecond, 'm'),
        (TimeSpan.TicksPerSecond, 'S'),
        (TimeSpan.TicksPerMinute, 'M'),
        (TimeSpan.TicksPerHour, 'H'),
    ];

    /// <summary>False where the text is not of the form; a value above <see cref="Longest"/> is cut to it.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > DigitsMax + 1
            || !long.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        if (text[^1] == 'n')
        {
            timeout = TimeSpan.FromTicks((value + 99) / 100);
            return true;
        }

        foreach (var (ticks, unit) in UnitsByTicks)
        {
            if (unit == text[^1])
            {
                timeout = value > Longest.Ticks / ticks ? Longest : TimeSpan.FromTicks(value * ticks);
                return true;
            }
        }

        return false;
    }

    /// <summary>The finest unit that holds the value in eight digits. Zero and less become one nanosecond.</summary>
    public static string Format(TimeSpan timeout)
    {
        if (timeout <= TimeSpan.Zero)
        {
            return "1n";
        }

        if (timeout.Ticks <= ValueMax / 100)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{timeout.Ticks * 100}n");
        }

        foreach (var (ticks, unit) in UnitsByTicks)
        {
            var value = timeout.Ticks / ticks + (timeout.Ticks % ticks == 0 ? 0 : 1);
            if (value <= ValueMax)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{value}{unit}");
            }
        }

        return "99999999H";
    }
}
