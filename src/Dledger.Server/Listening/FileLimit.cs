using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Dledger.Server.Listening;

/// <summary>Keeps the number of connections below the number of files that the process may open.</summary>
internal static class FileLimit
{
    private const string LimitsFile = "/proc/self/limits";
    private const string LimitName = "Max open files";

    /// <summary>Files that are not connections of clients: log segments, indexes, peers, the runtime's own.</summary>
    private const int ReservedCount = 512;

    /// <summary>The configured number, or less with a warning where the process may not open that many files.</summary>
    public static int Lower(int connectionsMax, ILogger logger)
    {
        if (Read() is not { } limit || limit - ReservedCount >= connectionsMax)
        {
            return connectionsMax;
        }

        var used = (int)Math.Max(limit / 2, limit - ReservedCount);
        ServerEvents.ConnectionsLowered(logger, connectionsMax, limit, used);
        return used;
    }

    /// <summary>The soft limit, or null where the system does not tell or sets none.</summary>
    private static long? Read()
    {
        try
        {
            var line = File.ReadLines(LimitsFile).FirstOrDefault(
                text => text.StartsWith(LimitName, StringComparison.Ordinal));
            var soft = line?[LimitName.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
            return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
