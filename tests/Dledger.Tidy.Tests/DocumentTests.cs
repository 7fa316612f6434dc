using System.Text.Json;
using System.Text.RegularExpressions;

namespace Dledger.Tidy.Tests;

/// <summary>Links of our documents lead somewhere, and nothing names the machine on which it was written.</summary>
public sealed partial class DocumentTests
{
    private static readonly string[] MachinePaths =
        ["/ho" + "me/", "/ro" + "ot/", "/Us" + "ers/", "/wo" + "rk/", "/tm" + "p/wt", "/tm" + "p/team", "C:" + "\\Users"];

    private static readonly string[] Registries =
        ["registry.npm" + "js.org", "api.nu" + "get.org", "registry.npm" + "mirror", "\"resol" + "ved\": \"http"];

    [Fact]
    public void Relative_links_lead_to_files_of_the_tree() =>
        Repository.AssertNone(
            from document in Repository.FilesIn("", ".md")
            from link in Links(Repository.Read(document))
            let target = Path.Combine(Path.GetDirectoryName(Repository.PathOf(document))!, Uri.UnescapeDataString(link))
            where !Path.Exists(target)
            select $"{document}: {link}",
            "A link leads nowhere:");

    [Fact]
    public void Links_are_read_from_text_and_not_from_code() =>
        Assert.Equal(
            ["a.md", "b/c.md"],
            Links("[x](a.md) [y](b/c.md#part) [z](https://example.org) [w](#here)\n```\n[no](none.md)\n```\n`[no](none.md)`"));

    [Fact]
    public void No_file_names_a_path_of_the_machine_that_wrote_it() =>
        Repository.AssertNone(
            from file in TextFiles()
            let text = Repository.Read(file)
            from path in MachinePaths
            where text.Contains(path, StringComparison.Ordinal)
            select $"{file}: {path}",
            "A file names a path of one machine:");

    [Fact]
    public void No_file_names_a_package_registry() =>
        Repository.AssertNone(
            from file in TextFiles()
            let text = Repository.Read(file)
            from host in Registries
            where text.Contains(host, StringComparison.Ordinal)
            select $"{file}: {host}",
            "A file names a registry; leave that to the machine's configuration:");

    [Fact]
    public void Npm_packages_have_exact_versions_and_a_lock() =>
        Repository.AssertNone(
            from file in Repository.Files
            where Path.GetFileName(file) == "package.json"
            from finding in Unpinned(Repository.Read(file))
                .Concat(Repository.Files.Contains(file.Replace("package.json", "package-lock.json")) ? [] : ["no package-lock.json"])
            select $"{file}: {finding}",
            "An npm package is not pinned:");

    [Fact]
    public void A_range_of_npm_versions_is_found() =>
        Assert.Equal(
            ["a ^1.0.0", "b latest"],
            Unpinned("""{ "dependencies": { "a": "^1.0.0", "c": "1.2.3" }, "devDependencies": { "b": "latest" } }"""));

    private static IEnumerable<string> TextFiles() =>
        Repository.Files.Where(file => !file.EndsWith(".png", StringComparison.Ordinal)
            && !file.EndsWith(".bin", StringComparison.Ordinal) && !file.EndsWith(".pfx", StringComparison.Ordinal));

    private static IEnumerable<string> Unpinned(string package)
    {
        using var document = JsonDocument.Parse(package);
        return
        [
            .. from section in new[] { "dependencies", "devDependencies", "optionalDependencies" }
               where document.RootElement.TryGetProperty(section, out _)
               from dependency in document.RootElement.GetProperty(section).EnumerateObject()
               where !ExactVersion().IsMatch(dependency.Value.GetString()!)
               select $"{dependency.Name} {dependency.Value.GetString()}",
        ];
    }

    private static IEnumerable<string> Links(string markdown) =>
        from Match match in Link().Matches(Code().Replace(markdown, ""))
        let target = match.Groups["target"].Value.Split('#')[0]
        where target.Length > 0 && !target.Contains(':', StringComparison.Ordinal)
        select target;

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)(?:\s+""[^""]*"")?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^```.*?^```|`[^`\n]*`", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex(@"^\d+\.\d+\.\d+(-[\w.]+)?$")]
    private static partial Regex ExactVersion();
}
