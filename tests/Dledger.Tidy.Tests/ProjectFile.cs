using System.Xml.Linq;

namespace Dledger.Tidy.Tests;

/// <summary>What a project file says about its dependencies.</summary>
/// <param name="Name">File name without extension.</param>
/// <param name="Path">Relative to the root.</param>
/// <param name="References">Names of the projects that it compiles against, stand-ins of gRPC packages included.</param>
/// <param name="BuildOnly">Names of the projects that are only built before it.</param>
/// <param name="Packages">Names of its packages.</param>
/// <param name="VersionedPackages">Packages that name a version here instead of in Directory.Packages.props.</param>
internal sealed record ProjectFile(
    string Name,
    string Path,
    IReadOnlyList<string> References,
    IReadOnlyList<string> BuildOnly,
    IReadOnlyList<string> Packages,
    IReadOnlyList<string> VersionedPackages)
{
    public static IReadOnlyList<ProjectFile> All { get; } =
        [.. Repository.FilesIn("src", ".csproj").Concat(Repository.FilesIn("tests", ".csproj"))
            .Select(path => Parse(path, Repository.Read(path)))];

    public static ProjectFile Parse(string path, string xml)
    {
        var items = XDocument.Parse(xml).Descendants();
        var projects = items.Where(item => item.Name.LocalName == "ProjectReference").ToLookup(
            item => (string?)item.Attribute("ReferenceOutputAssembly") == "false",
            item => System.IO.Path.GetFileNameWithoutExtension(((string)item.Attribute("Include")!).Replace('\\', '/')));
        var standins = items.Where(item => item.Name.LocalName == "GrpcReference")
            .Select(item => (string)item.Attribute("Standin")!);
        var packages = items.Where(item => item.Name.LocalName == "PackageReference").ToList();
        return new ProjectFile(
            System.IO.Path.GetFileNameWithoutExtension(path),
            path,
            [.. projects[false].Concat(standins)],
            [.. projects[true]],
            [.. packages.Select(item => (string)item.Attribute("Include")!)],
            [.. packages.Where(item => item.Attribute("Version") is not null).Select(item => (string)item.Attribute("Include")!)]);
    }
}
