using Dledger.Server.Options;

namespace Dledger.Tidy.Tests;

/// <summary>The README's table of options says what the types say: one row for each key, with range and meaning.</summary>
public sealed class OptionTableTests
{
    private const int KeyBudget = 40;

    [Fact]
    public void The_table_of_options_has_a_row_for_each_key_and_no_other()
    {
        var wanted = OptionKeys.All.Select(Row).ToList();

        var actual = Repository.Read("README.md").Split('\n')
            .Select(line => line.TrimEnd())
            .SkipWhile(line => line != Heading)
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .ToList();

        Assert.True(
            wanted.SequenceEqual(actual),
            $"README.md should hold this table of options:\n{Heading}\n| --- | --- | --- |\n{string.Join('\n', wanted)}");
    }

    [Fact]
    public void There_are_no_more_options_than_a_person_can_know() =>
        Assert.InRange(OptionKeys.All.Count, 1, KeyBudget);

    private static string Heading => "| option | allowed | what it sets |";

    private static string Row(OptionKey key) => $"| `{key.Name}` | {key.Range} | {key.Meaning} |";
}
