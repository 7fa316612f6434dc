namespace Dledger.Chaos.Trials;

/// <summary>The figures of a trial, one a line, some with a target.</summary>
internal sealed class TrialTable
{
    private readonly List<(string Name, string Value, string Target, bool? IsMet)> _rows = [];

    /// <summary>Every target was met.</summary>
    public bool IsMet => _rows.All(row => row.IsMet != false);

    /// <summary>A figure.</summary>
    public void Add(string name, string value) => _rows.Add((name, value, "", null));

    /// <summary>A time that has a limit.</summary>
    public void Add(string name, TimeSpan value, TimeSpan max) =>
        Add(name, $"{value.TotalSeconds:0.00} s", $"{max.TotalSeconds:0} s", value <= max);

    /// <summary>A figure with a target.</summary>
    public void Add(string name, string value, string target, bool isMet) => _rows.Add((name, value, target, isMet));

    public void Write(TextWriter output)
    {
        output.WriteLine();
        foreach (var (name, value, target, isMet) in _rows)
        {
            var judgement = isMet is { } met ? $"  target {target}: {(met ? "met" : "MISSED")}" : "";
            output.WriteLine($"{name,-52}{value,16}{judgement}");
        }
    }
}
