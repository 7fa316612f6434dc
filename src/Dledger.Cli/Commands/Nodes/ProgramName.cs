namespace Dledger.Cli.Commands.Nodes;

/// <summary>How a person calls this program from the directory where it runs.</summary>
internal static class ProgramName
{
    /// <summary><c>dledger</c> when the search path leads here, else the path of the executable, relative if shorter.</summary>
    public static string ForPasting(IReadOnlyDictionary<string, string> variables)
    {
        var path = Environment.ProcessPath;
        if (path is null || Path.GetFileNameWithoutExtension(path) != "dledger")
        {
            return "dledger";
        }

        var isOnSearchPath = variables.GetValueOrDefault("PATH", "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Any(folder => Path.Combine(folder, Path.GetFileName(path)) == path);
        if (isOnSearchPath)
        {
            return "dledger";
        }

        var relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), path);
        var shown = relative.Length < path.Length && !relative.StartsWith("..", StringComparison.Ordinal) ? $"./{relative}" : path;
        return shown.Contains(' ', StringComparison.Ordinal) ? $"\"{shown}\"" : shown;
    }
}
