using System.Globalization;

namespace Dledger.Bench.Machines;

/// <summary>Finds the processes of this machine that listen on ports, so that measured nodes are told from neighbours.</summary>
/// <remarks>Reads <c>/proc</c>, and sees only processes of the same user, or all as root. Finds none elsewhere than on Linux.</remarks>
public static class NodeProcesses
{
    private const string Listening = "0A";
    private static readonly string[] Tables = ["/proc/net/tcp", "/proc/net/tcp6"];

    /// <summary>Process ids, without this process.</summary>
    public static IReadOnlyList<int> Listeners(IReadOnlySet<int> ports)
    {
        var sockets = Tables.Where(File.Exists).SelectMany(table => Sockets(File.ReadLines(table), ports))
            .Select(inode => $"socket:[{inode}]")
            .ToHashSet(StringComparer.Ordinal);
        return sockets.Count == 0
            ? []
            : [.. Processes().Where(process => process != Environment.ProcessId && HasOpen(process, sockets)).Order()];
    }

    /// <summary>Folders in which a process has files open for writing: where it keeps its log.</summary>
    public static IReadOnlyList<string> WrittenFolders(int process)
    {
        var root = string.Create(CultureInfo.InvariantCulture, $"/proc/{process}");
        try
        {
            return
            [
                .. Directory.EnumerateFileSystemEntries($"{root}/fd")
                    .Where(entry => IsWritten($"{root}/fdinfo/{Path.GetFileName(entry)}"))
                    .Select(entry => File.ResolveLinkTarget(entry, returnFinalTarget: false)?.FullName ?? "")
                    .Where(file => File.Exists(file) && !file.StartsWith("/dev/", StringComparison.Ordinal))
                    .Select(file => Path.GetDirectoryName(file)!)
                    .Distinct()
                    .Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Inodes of sockets that listen on one of the ports, from the lines of a table of the kernel.</summary>
    internal static IEnumerable<string> Sockets(IEnumerable<string> lines, IReadOnlySet<int> ports)
    {
        foreach (var line in lines.Skip(1))
        {
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length > 9 && fields[3] == Listening
                && int.TryParse(
                    fields[1].AsSpan(fields[1].LastIndexOf(':') + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var port)
                && ports.Contains(port))
            {
                yield return fields[9];
            }
        }
    }

    // The flags are octal; their last two bits are 1 for writing and 2 for both.
    private static bool IsWritten(string description)
    {
        const string name = "flags:";
        var line = File.ReadLines(description).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line?[^1] is '1' or '2' or '5' or '6';
    }

    private static IEnumerable<int> Processes() =>
        from folder in Directory.EnumerateDirectories("/proc")
        let name = Path.GetFileName(folder)
        where int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _)
        select int.Parse(name, CultureInfo.InvariantCulture);

    private static bool HasOpen(int process, HashSet<string> sockets)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/fd"))
                .Any(entry => File.ResolveLinkTarget(entry, returnFinalTarget: false) is { Name: var name } && sockets.Contains(name));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
