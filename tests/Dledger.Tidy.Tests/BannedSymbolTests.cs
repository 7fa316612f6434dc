namespace Dledger.Tidy.Tests;

/// <summary>The bans that the promises rest on are in the lists that the analyzer reads.</summary>
public sealed class BannedSymbolTests
{
    [Theory]
    [InlineData("M:System.IO.RandomAccess.FlushToDisk(Microsoft.Win32.SafeHandles.SafeFileHandle)")]
    [InlineData("M:System.IO.FileStream.Flush(System.Boolean)")]
    [InlineData("P:System.Threading.Tasks.Task`1.Result")]
    [InlineData("P:System.Threading.Tasks.ValueTask`1.Result")]
    [InlineData("M:System.Threading.Tasks.Task.Wait")]
    [InlineData("M:System.Threading.Tasks.Task.Wait(System.Int32)")]
    [InlineData("M:System.Threading.Tasks.Task.Wait(System.TimeSpan)")]
    [InlineData("M:System.Runtime.CompilerServices.TaskAwaiter.GetResult")]
    [InlineData("M:System.Runtime.CompilerServices.TaskAwaiter`1.GetResult")]
    [InlineData("M:System.Threading.Thread.Sleep(System.Int32)")]
    public void A_symbol_that_breaks_a_promise_is_banned_everywhere(string symbol) =>
        Assert.Contains(symbol, Symbols("BannedSymbols.txt"));

    [Theory]
    [InlineData("P:System.DateTime.UtcNow")]
    [InlineData("P:System.DateTimeOffset.UtcNow")]
    [InlineData("T:System.Diagnostics.Stopwatch")]
    [InlineData("P:System.Random.Shared")]
    [InlineData("M:System.Guid.NewGuid")]
    [InlineData("T:System.IO.File")]
    [InlineData("T:System.IO.Directory")]
    [InlineData("M:System.String.GetHashCode")]
    public void Ambient_state_is_banned_in_the_deterministic_projects(string symbol) =>
        Assert.Contains(symbol, Symbols("BannedSymbols.Deterministic.txt"));

    [Theory]
    [InlineData("Dledger.Raft")]
    [InlineData("Dledger.Replication")]
    [InlineData("Dledger.Broker")]
    public void A_deterministic_project_reads_the_second_list(string project) =>
        Assert.Contains("<BansAmbientState>true</BansAmbientState>", Repository.Read($"src/{project}/{project}.csproj"));

    [Fact]
    public void Every_ban_says_what_to_use_instead() =>
        Repository.AssertNone(
            from list in new[] { "BannedSymbols.txt", "BannedSymbols.Deterministic.txt" }
            from line in Repository.Read(list).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            let parts = line.Split(';', 2)
            where parts.Length < 2 || string.IsNullOrWhiteSpace(parts[1])
            select $"{list}: {line}",
            "A ban gives no advice:");

    private static IEnumerable<string> Symbols(string list) =>
        Repository.Read(list).Split('\n').Select(line => line.Split(';')[0].Trim());
}
