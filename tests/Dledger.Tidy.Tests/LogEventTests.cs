using System.Globalization;
using System.Text.RegularExpressions;

namespace Dledger.Tidy.Tests;

/// <summary>Every project logs under ids of its own range, and no id stands for two events.</summary>
public sealed partial class LogEventTests
{
    private static readonly Dictionary<string, int> FirstId = new()
    {
        ["Dledger.Storage"] = 1000,
        ["Dledger.Replication"] = 2000,
        ["Dledger.Broker"] = 3000,
        ["Dledger.Frontend"] = 4000,
        ["Dledger.WebConsole"] = 5000,
        ["Dledger.Server"] = 6000,
        ["Dledger.Client"] = 7000,
        ["Dledger.GrpcCompat"] = 8000,
        ["Dledger.GrpcCompat.AspNetCore"] = 8000,
    };

    [Fact]
    public void No_event_id_is_used_twice() =>
        Repository.AssertNone(
            Events().GroupBy(logged => logged.Id).Where(same => same.Count() > 1)
                .Select(same => $"{same.Key}: {string.Join(", ", same.Select(logged => logged.File))}"),
            "Two events share an id:");

    [Fact]
    public void Every_event_id_lies_in_the_range_of_its_project() =>
        Repository.AssertNone(
            from logged in Events()
            let project = logged.File.Split('/')[1]
            where !FirstId.TryGetValue(project, out var first) || logged.Id < first || logged.Id > first + 999
            select $"{logged.File}: {logged.Id}",
            "An event id lies outside the range of its project:");

    [Fact]
    public void Logging_goes_through_the_events_classes_only() =>
        Repository.AssertNone(
            from file in Repository.FilesIn("src", ".cs")
            where DirectLogging().IsMatch(Repository.Read(file))
            select file,
            "A log line without an event id; add it to the project's events class:");

    [Theory]
    [InlineData("[LoggerMessage(2001, LogLevel.Information, \"x\")]", 2001)]
    [InlineData("[LoggerMessage(EventId = 17, Level = LogLevel.Debug)]", 17)]
    [InlineData("[LoggerMessage(\n    3_002, LogLevel.Debug)]", 3002)]
    public void Event_ids_are_read_from_attributes(string code, int id) => Assert.Equal([id], Ids(code));

    private static IEnumerable<(string File, int Id)> Events() =>
        from file in Repository.FilesIn("src", ".cs")
        from id in Ids(Repository.Read(file))
        select (file, id);

    private static IEnumerable<int> Ids(string code) =>
        EventId().Matches(code).Select(match => int.Parse(
            match.Groups["id"].Value.Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture));

    [GeneratedRegex(@"\[LoggerMessage\(\s*(?:EventId\s*[=:]\s*|eventId\s*:\s*)?(?<id>[0-9_]+)")]
    private static partial Regex EventId();

    [GeneratedRegex(@"\.Log(Trace|Debug|Information|Warning|Error|Critical)\(")]
    private static partial Regex DirectLogging();
}
