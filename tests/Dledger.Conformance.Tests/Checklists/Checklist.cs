using System.Reflection;
using System.Text.RegularExpressions;

namespace Dledger.Conformance.Tests.Checklists;

/// <summary>One demand that clients of the protocol make on a server.</summary>
/// <param name="Number">Its number: digits, and a letter for those added later.</param>
/// <param name="Section">The part of the protocol it belongs to.</param>
/// <param name="Statement">What is demanded, in one line.</param>
internal sealed record ChecklistItem(string Number, string Section, string Statement);

/// <summary>The numbered demands. The tests of an item carry its number in their names.</summary>
internal static partial class Checklist
{
    public static IReadOnlyList<ChecklistItem> Items { get; } = [.. Read()];

    /// <summary>Items that nothing tests, each with the reason.</summary>
    public static IReadOnlyDictionary<string, string> Untested { get; } = typeof(Checklist).Assembly
        .GetCustomAttributes<UntestedAttribute>().ToDictionary(one => one.Item, one => one.Reason);

    /// <summary>Numbers of the items that have tests.</summary>
    public static IReadOnlySet<string> Tested { get; } = typeof(Checklist).Assembly.GetTypes()
        .SelectMany(type => type.GetMethods())
        .Where(method => method.GetCustomAttribute<FactAttribute>() is not null)
        .Select(method => NumberOf(method.Name))
        .OfType<string>()
        .ToHashSet();

    /// <summary>The item that a test's name speaks of, or null.</summary>
    public static string? NumberOf(string test) =>
        TestName().Match(test) is { Success: true } match ? match.Groups["number"].Value.TrimStart('0') : null;

    private static IEnumerable<ChecklistItem> Read()
    {
        using var reader = new StreamReader(
            typeof(Checklist).Assembly.GetManifestResourceStream("checklist.txt")
            ?? throw new InvalidOperationException("the checklist is not embedded"));
        var section = "";
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith("# ", StringComparison.Ordinal))
            {
                section = line[2..];
            }
            else if (line.Length > 0)
            {
                var parts = line.Split(' ', 2);
                yield return new ChecklistItem(parts[0], section, parts[1]);
            }
        }
    }

    [GeneratedRegex(@"(?:^|\.)Item_(?<number>\d+[a-e]?)_")]
    private static partial Regex TestName();
}
