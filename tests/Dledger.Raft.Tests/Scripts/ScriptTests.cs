using System.Runtime.CompilerServices;

namespace Dledger.Raft.Tests.Scripts;

/// <summary>One test per story file in this folder. <c>DLEDGER_REWRITE=1</c> writes the present answers into the files.</summary>
public sealed class ScriptTests
{
    public static TheoryData<string> Stories() => [.. Directory.GetFiles(Folder(), "*.txt").Select(path => Path.GetFileNameWithoutExtension(path)).Order()];

    [Theory]
    [MemberData(nameof(Stories))]
    public void A_story_goes_as_it_is_written(string story)
    {
        var path = Path.Combine(Folder(), story + ".txt");
        var written = File.ReadAllText(path);

        var present = ScriptRunner.Rewrite(written);

        if (Environment.GetEnvironmentVariable("DLEDGER_REWRITE") == "1")
        {
            File.WriteAllText(path, present);
        }
        else
        {
            Assert.Equal(written, present);
        }
    }

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
