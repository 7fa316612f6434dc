using Dledger.Chaos.Histories;

namespace Dledger.Chaos.Tests;

/// <summary>A short history written by hand: what a good or a bad broker would have left.</summary>
internal static class GoldenHistory
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Golden");

    /// <summary>Names of the histories that fit a pattern.</summary>
    public static IEnumerable<string> Names(string pattern) =>
        Directory.EnumerateFiles(Folder, $"{pattern}.jsonl").Select(file => Path.GetFileNameWithoutExtension(file));

    public static History Read(string name) => History.Parse(File.ReadLines(Path.Combine(Folder, $"{name}.jsonl")));
}
