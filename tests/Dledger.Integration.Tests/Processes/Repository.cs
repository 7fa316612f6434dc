namespace Dledger.Integration.Tests.Processes;

/// <summary>Where the built program and the scripts are.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The program in the configuration in which these tests were built.</summary>
    public static string Binary { get; } = Environment.GetEnvironmentVariable("DLEDGER_BINARY") ?? Path.Combine(
        Root, "src", "Dledger.Cli", "bin", Configuration(), "net10.0", "dledger");

    public static string Scripts { get; } = Path.Combine(Root, "tests", "Dledger.Integration.Tests", "js");

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Dledger.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds Dledger.sln.");
    }

    // These tests lie in bin/<configuration>/net10.0, and so does the program.
    private static string Configuration() =>
        new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)).Parent!.Name;
}
