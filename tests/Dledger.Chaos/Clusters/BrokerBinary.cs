namespace Dledger.Chaos.Clusters;

/// <summary>The program under test: the built command line.</summary>
internal static class BrokerBinary
{
    /// <summary><c>DLEDGER_BINARY</c>, or what the solution has built in the configuration of this program.</summary>
    /// <exception cref="ChaosException">It is not there.</exception>
    public static string Find()
    {
        var path = Environment.GetEnvironmentVariable("DLEDGER_BINARY") ?? Path.Combine(
            Root(), "src", "Dledger.Cli", "bin", Configuration(), "net10.0", "dledger");
        return File.Exists(path) ? path : throw new ChaosException($"{path} is missing; build src/Dledger.Cli");
    }

    /// <summary>The folder of the solution.</summary>
    public static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Dledger.sln")))
            {
                return folder.FullName;
            }
        }

        throw new ChaosException($"no folder above {AppContext.BaseDirectory} holds Dledger.sln");
    }

    // This program lies in bin/<configuration>/net10.0, and so does the broker.
    private static string Configuration() =>
        new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)).Parent!.Name;
}
