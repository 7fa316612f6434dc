namespace Dledger.Tidy.Tests;

/// <summary>The table of projects in src/ARCHITECTURE.md: who may reference whom. References point upwards only.</summary>
public sealed class ProjectEdgeTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Dledger.Primitives"] = [],
        ["Dledger.Storage"] = ["Dledger.Primitives"],
        ["Dledger.Raft"] = ["Dledger.Primitives"],
        ["Dledger.Replication"] = ["Dledger.Raft", "Dledger.Storage"],
        ["Dledger.Broker"] = ["Dledger.Replication", "Dledger.Storage"],
        ["Dledger.GrpcCompat"] = [],
        ["Dledger.GrpcCompat.AspNetCore"] = ["Dledger.GrpcCompat"],
        ["Dledger.Protocol"] = ["Dledger.GrpcCompat"],
        ["Dledger.Frontend"] = ["Dledger.Broker", "Dledger.Protocol", "Dledger.GrpcCompat.AspNetCore", "Dledger.GrpcCompat"],
        ["Dledger.WebConsole"] = ["Dledger.Broker"],
        ["Dledger.Server"] = ["Dledger.Frontend", "Dledger.WebConsole"],
        ["Dledger.Client"] = ["Dledger.Primitives", "Dledger.Protocol", "Dledger.GrpcCompat"],
        ["Dledger.Cli"] = ["Dledger.Server", "Dledger.Client", "Dledger.Storage"],
    };

    [Fact]
    public void A_source_project_references_only_what_the_layout_allows() =>
        Repository.AssertNone(
            ProjectFile.All.Where(project => project.Path.StartsWith("src/", StringComparison.Ordinal)).SelectMany(Forbidden),
            "A project references another that the layout does not allow:");

    [Fact]
    public void An_edge_that_the_layout_does_not_allow_is_found()
    {
        var project = ProjectFile.Parse(
            "src/Dledger.Raft/Dledger.Raft.csproj",
            """<Project><ItemGroup><ProjectReference Include="../Dledger.Storage/Dledger.Storage.csproj" /></ItemGroup></Project>""");

        Assert.Single(Forbidden(project));
    }

    [Fact]
    public void Source_projects_never_reference_test_projects() =>
        Repository.AssertNone(
            from project in ProjectFile.All
            where project.Path.StartsWith("src/", StringComparison.Ordinal)
            from reference in project.References.Concat(project.BuildOnly)
            where !Allowed.ContainsKey(reference)
            select $"{project.Name} -> {reference}",
            "A project under src references one that is not there:");

    [Fact]
    public void The_integration_tests_contain_no_code_of_the_product()
    {
        var project = ProjectFile.All.Single(project => project.Name == "Dledger.Integration.Tests");

        Assert.Empty(project.References);
    }

    [Fact]
    public void The_core_projects_take_no_packages_but_the_logging_abstraction() =>
        Repository.AssertNone(
            from project in ProjectFile.All
            where project.Name is "Dledger.Primitives" or "Dledger.Storage" or "Dledger.Raft" or "Dledger.Replication" or "Dledger.Broker"
            from package in project.Packages
            where package != "Microsoft.Extensions.Logging.Abstractions"
            select $"{project.Name}: {package}",
            "A core project takes a package:");

    [Fact]
    public void Package_versions_stand_only_in_the_central_file() =>
        Repository.AssertNone(
            from project in ProjectFile.All
            from package in project.VersionedPackages
            select $"{project.Path}: {package}",
            "A project file names a package version:");

    [Fact]
    public void Every_project_belongs_to_the_solution()
    {
        var solution = Repository.Read("Dledger.sln").Replace('\\', '/');

        Repository.AssertNone(
            ProjectFile.All.Where(project => !solution.Contains(project.Path, StringComparison.Ordinal)).Select(project => project.Path),
            "A project is missing from Dledger.sln:");
    }

    private static IEnumerable<string> Forbidden(ProjectFile project) =>
        Allowed.TryGetValue(project.Name, out var allowed)
            ? project.References.Except(allowed).Select(reference => $"{project.Name} -> {reference}")
            : [$"{project.Name} is not in the table of projects"];
}
