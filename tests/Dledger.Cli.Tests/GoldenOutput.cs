namespace Dledger.Cli.Tests;

/// <summary>Outputs that are kept as files beside the tests and change only on purpose.</summary>
/// <remarks>Set <c>DLEDGER_REWRITE_GOLDEN=1</c> to write them anew, and review the difference.</remarks>
internal static class GoldenOutput
{
    private static readonly string Folder = FindFolder();

    /// <summary>Compares with <c>Golden/name.txt</c>.</summary>
    public static void Check(string name, string actual)
    {
        var path = Path.Combine(Folder, $"{name}.txt");
        if (Environment.GetEnvironmentVariable("DLEDGER_REWRITE_GOLDEN") == "1")
        {
            File.WriteAllText(path, actual);
        }

        Assert.Equal(File.ReadAllText(path), actual);
    }

    private static string FindFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Dledger.sln")))
            {
                return Path.Combine(folder.FullName, "tests", "Dledger.Cli.Tests", "Golden");
            }
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds Dledger.sln.");
    }
}
