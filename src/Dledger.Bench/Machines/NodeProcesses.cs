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
        return
        [
            .. Descriptors(process)
                .Where(descriptor => IsWritten($"{root}/fdinfo/{descriptor}"))
                .Select(descriptor => Target($"{root}/fd/{descriptor}")?.FullName)
                .OfType<string>()
                .Where(file => File.Exists(file) && !file.StartsWith("/dev/", StringComparison.Ordinal))
                .Select(file => Path.GetDirectoryName(file)!)
                .Distinct()
                .Order(StringComparer.Ordinal),
        ];
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

    private static bool HasOpen(int process, HashSet<string> sockets) =>
        Descriptors(process).Any(descriptor =>
            Target(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/fd/{descriptor}")) is { Name: var name }
            && sockets.Contains(name));

    private static IEnumerable<int> Processes() => Numbers("/proc");

    private static IEnumerable<int> Descriptors(int process) => Numbers(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/fd"));

    /// <summary>Entries of a folder whose names are numbers; none when it cannot be read, as with processes of others.</summary>
    private static List<int> Numbers(string folder)
    {
        try
        {
            return
            [
                .. from entry in Directory.EnumerateFileSystemEntries(folder)
                   let name = Path.GetFileName(entry)
                   where int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _)
                   select int.Parse(name, CultureInfo.InvariantCulture),
            ];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // Null for what was closed meanwhile.
    private static FileSystemInfo? Target(string link)
    {
        try
        {
            return File.ResolveLinkTarget(link, returnFinalTarget: false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // The flags are octal; their last two bits are 1 for writing and 2 for both.
    private static bool IsWritten(string description)
    {
        const string name = "flags:";
        try
        {
            var line = File.ReadLines(description).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
            return line?[^1] is '1' or '2' or '5' or '6';
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
