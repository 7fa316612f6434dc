using System.Text.RegularExpressions;

namespace Dledger.Tidy.Tests;

/// <summary>What must not be left in the tree. The words are put together here so that this file does not find itself.</summary>
public sealed partial class LeftoverTests
{
    private static readonly string[] Words = ["TO" + "DO", "FIX" + "ME", "HA" + "CK"];

    private static readonly string[] Source = [".cs", ".proto", ".js", ".mjs", ".csproj", ".props", ".targets", ".md", ".sh", ".yml"];

    [Fact]
    public void No_file_holds_a_note_of_work_left_to_do() =>
        Repository.AssertNone(
            from file in Repository.FilesIn("", Source)
            from line in Lines(file)
            where HasWord(line.Text)
            select $"{file}:{line.Number}: {line.Text.Trim()}",
            "Work left to do belongs into an issue, not into the tree:");

    [Fact]
    public void A_note_of_work_left_to_do_is_found_as_a_word_only()
    {
        Assert.True(HasWord("// " + Words[0] + ": later"));
        Assert.False(HasWord("tod" + "o and S" + Words[2] + "S"));
    }

    [Fact]
    public void No_method_is_left_unwritten() =>
        AssertAbsent("NotImplemented" + "Exception", Repository.FilesIn("", ".cs"), "A method is not written:");

    [Fact]
    public void No_test_is_skipped() =>
        Repository.AssertNone(
            from file in Repository.FilesIn("tests", ".cs")
            from line in Lines(file)
            where SkippedTest().IsMatch(line.Text)
            select $"{file}:{line.Number}: {line.Text.Trim()}",
            "A test that cannot run is a failure, not a skip:");

    [Fact]
    public void No_test_sleeps() =>
        Repository.AssertNone(
            from file in Repository.FilesIn("tests", ".cs")
            where !file.StartsWith("tests/Dledger.Benchmarks/", StringComparison.Ordinal)
            from line in Lines(file)
            where Sleep().IsMatch(line.Text)
            select $"{file}:{line.Number}: {line.Text.Trim()}",
            "Wait on a condition with a deadline:");

    [Fact]
    public void No_file_is_larger_than_a_mebibyte() =>
        Repository.AssertNone(
            from file in Repository.Files
            let length = new FileInfo(Repository.PathOf(file)).Length
            where length > 1 << 20
            select $"{file}: {length} bytes",
            "A file is too large for the repository:");

    [GeneratedRegex(@"\[\s*(Fact|Theory)\s*\(.*\bSkip\s*=|\bSkip\.(If|IfNot)\s*\(|Assert\.Skip")]
    private static partial Regex SkippedTest();

    [GeneratedRegex(@"(?<![.\w])(Task\s*\.\s*Delay|Thread\s*\.\s*Sleep)\s*\(")]
    private static partial Regex Sleep();

    private static bool HasWord(string text) => Words.Any(word => Regex.IsMatch(text, $@"\b{word}\b"));

    private static void AssertAbsent(string text, IEnumerable<string> files, string rule) =>
        Repository.AssertNone(
            from file in files
            from line in Lines(file)
            where line.Text.Contains(text, StringComparison.Ordinal)
            select $"{file}:{line.Number}: {line.Text.Trim()}",
            rule);

    private static IEnumerable<(int Number, string Text)> Lines(string file) =>
        Repository.Read(file).Split('\n').Select((text, index) => (index + 1, text));
}
