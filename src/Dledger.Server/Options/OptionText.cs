using System.Globalization;

namespace Dledger.Server.Options;

/// <summary>Sizes and times as people write them.</summary>
public static class OptionText
{
    private static readonly (string Unit, long Bytes)[] SizeUnits =
        [("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10)];

    private static readonly (string Unit, long Microseconds)[] DurationUnits =
        [("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000)];

    /// <summary>Bytes from <c>4096</c>, <c>64KiB</c> or <c>1 GiB</c>; false when the text is none or too
    /// large.</summary>
    public static bool TryParseSize(string text, out long bytes)
    {
        var unit = SizeUnits.FirstOrDefault(u => text.EndsWith(u.Unit, StringComparison.OrdinalIgnoreCase));
        var number = unit.Unit is null ? text : text[..^unit.Unit.Length].TrimEnd();
        var factor = unit.Unit is null ? 1 : unit.Bytes;
        if (!long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var count)
            || Math.Abs((double)count * factor) > long.MaxValue / 2.0)
        {
            bytes = 0;
            return false;
        }

        bytes = count * factor;
        return true;
    }

    /// <summary>Microseconds from <c>500ms</c>, <c>20s</c> or <c>1.5 m</c>; false when the text is none.</summary>
    public static bool TryParseDuration(string text, out long microseconds)
    {
        var unit = DurationUnits.FirstOrDefault(u => text.EndsWith(u.Unit, StringComparison.OrdinalIgnoreCase));
        if (unit.Unit is null
            || !decimal.TryParse(
                text[..^unit.Unit.Length].TrimEnd(),
                NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint,
                CultureInfo.InvariantCulture,
                out var count)
            || Math.Abs(count) > 1_000_000_000)
        {
            microseconds = 0;
            return false;
        }

        microseconds = (long)(count * unit.Microseconds);
        return true;
    }

    /// <summary>Bytes with the largest unit that divides them.</summary>
    public static string FormatSize(long bytes)
    {
        var unit = SizeUnits.FirstOrDefault(u => bytes != 0 && bytes % u.Bytes == 0);
        return unit.Unit is null
            ? bytes.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{bytes / unit.Bytes}{unit.Unit}");
    }

    /// <summary>A time with the largest unit that divides it.</summary>
    public static string FormatDuration(long microseconds)
    {
        var unit = DurationUnits.LastOrDefault(u => microseconds != 0 && microseconds % u.Microseconds == 0);
        return unit.Unit is null
            ? string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1_000_000m}s")
            : string.Create(CultureInfo.InvariantCulture, $"{microseconds / unit.Microseconds}{unit.Unit}");
    }
}
