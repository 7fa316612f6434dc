using System.Globalization;

namespace Dledger.Client.Errors;

/// <summary>When to try again, as a refusal says it at the end of its text: "retry in 250 ms".</summary>
/// <remarks>The protocol has no field for it; in the text it survives every node that passes the answer on.</remarks>
internal static class RetryHint
{
    private const string Begin = "retry in ";
    private const string End = " ms";

    /// <summary>Null when the text names no time.</summary>
    public static TimeSpan? Find(string text)
    {
        var begin = text.LastIndexOf(Begin, StringComparison.Ordinal);
        return begin >= 0
            && text.EndsWith(End, StringComparison.Ordinal)
            && int.TryParse(
                text.AsSpan()[(begin + Begin.Length)..^End.Length],
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var milliseconds)
                ? TimeSpan.FromMilliseconds(milliseconds)
                : null;
    }
}
