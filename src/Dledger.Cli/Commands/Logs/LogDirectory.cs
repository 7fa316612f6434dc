using System.Globalization;
using Dledger.Primitives;
using Dledger.Storage.Disks;
using Dledger.Storage.Logs;

namespace Dledger.Cli.Commands.Logs;

/// <summary>Finds the log of a node from the directory that a person names: the data directory or the group's in it.</summary>
internal static class LogDirectory
{
    private const string GroupPrefix = "group-";

    /// <exception cref="DirectoryNotFoundException">It does not exist.</exception>
    /// <exception cref="UsageException">Neither the directory nor one in it holds a log.</exception>
    public static LogInspector Open(string path)
    {
        var root = new DirectoryInfo(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        if (!root.Exists)
        {
            throw new DirectoryNotFoundException($"The directory '{path}' does not exist.");
        }

        var groups = GroupOf(root) is not null ? [root] : root.GetDirectories($"{GroupPrefix}*").Where(child => GroupOf(child) is not null).ToArray();
        if (groups is not [var group])
        {
            throw groups.Length == 0
                ? new UsageException($"'{path}' holds no log of a node.", "Name the data directory of a node, such as ./.dledger")
                : new UsageException($"'{path}' holds {groups.Length} logs.", $"Name one of them, such as {groups[0].FullName}");
        }

        return LogInspector.Open(new PosixDisk(group.Parent!.FullName), group.Name, GroupOf(group)!.Value);
    }

    /// <summary>The group whose directory this is, by its name; null for any other directory.</summary>
    private static RaftGroupId? GroupOf(DirectoryInfo directory) =>
        directory.Name.StartsWith(GroupPrefix, StringComparison.Ordinal)
        && int.TryParse(directory.Name[GroupPrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new RaftGroupId(number)
            : null;
}
