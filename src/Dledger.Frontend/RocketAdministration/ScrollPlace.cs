using System.Globalization;

namespace Dledger.Frontend.RocketAdministration;

/// <summary>Where a page of found messages ends and the next one begins, as text that callers hand back.</summary>
/// <remarks>
/// <c>k.skip.end</c> for messages of a key: so many are behind the caller, newest first, of those before a time. <c>t.queue.offset.end</c>
/// for messages of a time range. The end is kept, so that what is stored between two pages moves nothing. Microseconds since 1970 (UTC).
/// </remarks>
internal readonly record struct ScrollPlace(bool IsByKey, int Number, long Offset, long EndMicroseconds)
{
    private const char Separator = '.';

    public static ScrollPlace ByKey(int skipCount, long endMicroseconds) => new(true, skipCount, 0, endMicroseconds);

    public static ScrollPlace ByTime(int queueId, long offset, long endMicroseconds) => new(false, queueId, offset, endMicroseconds);

    /// <summary>False for a text that <see cref="ToString"/> never gave.</summary>
    public static bool TryParse(string text, out ScrollPlace place)
    {
        place = default;
        var parts = text.Split(Separator);
        switch (parts)
        {
            case ["k", var skip, var end] when TryRead(skip, out var count) && count <= int.MaxValue && TryRead(end, out var before):
                place = ByKey((int)count, before);
                return true;
            case ["t", var queue, var at, var end]
                when TryRead(queue, out var id) && id <= int.MaxValue && TryRead(at, out var offset) && TryRead(end, out var before):
                place = ByTime((int)id, offset, before);
                return true;
            default:
                return false;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => IsByKey
        ? string.Create(CultureInfo.InvariantCulture, $"k.{Number}.{EndMicroseconds}")
        : string.Create(CultureInfo.InvariantCulture, $"t.{Number}.{Offset}.{EndMicroseconds}");

    private static bool TryRead(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
