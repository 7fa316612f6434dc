using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Dledger.Tidy.Tests;

/// <summary>The working tree that these tests read: its root and the files that belong to it.</summary>
/// <remarks>
/// Files are those that git knows or would add; without git (an unpacked archive) every file outside the folders that
/// builds and package managers fill.
/// </remarks>
internal static class Repository
{
    private static readonly string[] Generated =
        ["bin", "obj", "node_modules", "TestResults", "artifacts", ".git", ".dledger", ".vs", ".idea"];

    private static readonly Lazy<IReadOnlyList<string>> AllFiles = new(ListFiles);

    /// <summary>Absolute path of the folder that holds Dledger.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Paths relative to the root, with forward slashes, in ordinal order.</summary>
    public static IReadOnlyList<string> Files => AllFiles.Value;

    /// <summary>The files below a folder whose name ends in one of the given extensions.</summary>
    public static IEnumerable<string> FilesIn(string folder, params string[] extensions) =>
        Files.Where(file => (folder.Length == 0 || file.StartsWith(folder + "/", StringComparison.Ordinal))
            && extensions.Any(extension => file.EndsWith(extension, StringComparison.Ordinal)));

    public static string PathOf(string file) => Path.Combine(Root, file);

    public static string Read(string file) => File.ReadAllText(PathOf(file));

    /// <summary>Fails with one line per finding, or passes when there is none.</summary>
    public static void AssertNone(IEnumerable<string> findings, string rule)
    {
        var lines = findings.ToList();
        Assert.True(lines.Count == 0, $"{rule}{Environment.NewLine}{string.Join(Environment.NewLine, lines)}");
    }

    private static string FindRoot([CallerFilePath] string thisFile = "")
    {
        foreach (var start in new[] { AppContext.BaseDirectory, Directory.GetCurrentDirectory(), Path.GetDirectoryName(thisFile) })
        {
            for (var folder = start is null ? null : new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                if (File.Exists(Path.Combine(folder.FullName, "Dledger.sln")))
                {
                    return folder.FullName;
                }
            }
        }

        throw new InvalidOperationException(
            $"No folder above {AppContext.BaseDirectory} holds Dledger.sln; run the tests inside the repository.");
    }

    private static IReadOnlyList<string> ListFiles()
    {
        var files = ListWithGit() ?? Walk(new DirectoryInfo(Root));
        return [.. files.Where(file => File.Exists(PathOf(file))).Distinct().Order(StringComparer.Ordinal)];
    }

    private static List<string>? ListWithGit()
    {
        if (!Path.Exists(PathOf(".git")))
        {
            return null;
        }

        var start = new ProcessStartInfo("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var git = Process.Start(start)!;
            git.BeginErrorReadLine();
            var files = git.StandardOutput.ReadToEnd().Split('\0', StringSplitOptions.RemoveEmptyEntries);
            git.WaitForExit();
            return git.ExitCode == 0 && files.Length > 0 ? [.. files] : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static List<string> Walk(DirectoryInfo folder) =>
    [
        .. folder.EnumerateFiles().Select(file => Path.GetRelativePath(Root, file.FullName).Replace('\\', '/')),
        .. folder.EnumerateDirectories().Where(child => !Generated.Contains(child.Name)).SelectMany(Walk),
    ];
}
