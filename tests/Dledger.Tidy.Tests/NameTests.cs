using System.Text.RegularExpressions;

namespace Dledger.Tidy.Tests;

/// <summary>Names that say nothing, and names that the compiler would mistake for others.</summary>
public sealed partial class NameTests
{
    private static readonly string[] BannedEndings =
        ["Manager", "Helper", "Helpers", "Util", "Utils", "Utility", "Base", "Impl", "Info", "Data", "Wrapper"];

    private static readonly string[] BannedFolders = ["Helpers", "Utils", "Models", "Common", "Misc", "Managers"];

    [Fact]
    public void No_type_has_a_name_that_says_nothing() =>
        Repository.AssertNone(
            from file in OurCode()
            from name in TypeNames(Repository.Read(file))
            where HasBannedEnding(name)
            select $"{file}: {name}",
            "A type's name ends in a word that says nothing of its role:");

    [Theory]
    [InlineData("ConnectionManager", true)]
    [InlineData("PathUtils", true)]
    [InlineData("NodeMetadata", false)]
    [InlineData("Database", false)]
    public void A_banned_ending_is_a_whole_word_of_the_name(string name, bool banned) =>
        Assert.Equal(banned, HasBannedEnding(name));

    [Fact]
    public void Declared_types_are_found() =>
        Assert.Equal(
            ["Alpha", "Beta", "Gamma", "IDelta"],
            TypeNames("public sealed class Alpha\nreadonly record struct Beta(int X)\nenum Gamma : byte\ninterface IDelta"));

    [Fact]
    public void No_folder_is_a_drawer() =>
        Repository.AssertNone(
            OurCode().Where(file => Path.GetDirectoryName(file)!.Split('/').Any(folder => BannedFolders.Contains(folder))),
            "A folder is named for a layer instead of a concern:");

    [Fact]
    public void No_folder_bears_the_name_of_a_type_in_it() =>
        Repository.AssertNone(
            OurCode().Where(file => Path.GetFileName(Path.GetDirectoryName(file)) == Path.GetFileNameWithoutExtension(file)),
            "C# would take the namespace for the type:");

    /// <summary>The stand-in for gRPC has the names of the official packages, which are not ours to choose.</summary>
    private static IEnumerable<string> OurCode() =>
        Repository.FilesIn("src", ".cs").Concat(Repository.FilesIn("tests", ".cs"))
            .Where(file => !file.StartsWith("src/Dledger.GrpcCompat", StringComparison.Ordinal));

    private static bool HasBannedEnding(string name) =>
        BannedEndings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal));

    private static IEnumerable<string> TypeNames(string code) =>
        TypeDeclaration().Matches(code).Select(match => match.Groups["name"].Value);

    [GeneratedRegex(
        @"^[ \t]*(?:(?:public|internal|private|protected|file|static|sealed|abstract|partial|readonly|ref|unsafe|new)\s+)*"
        + @"(?:class|record\s+struct|record\s+class|record|struct|interface|enum)\s+(?<name>[A-Z]\w*)",
        RegexOptions.Multiline)]
    private static partial Regex TypeDeclaration();
}
