using System.Globalization;

namespace Dledger.Bench.Clusters;

/// <summary>The names that a run gives to its topics and groups.</summary>
/// <param name="Prefix">What they all begin with.</param>
public sealed record BenchNames(string Prefix)
{
    /// <summary>What every prefix begins with unless the user says otherwise: nothing else in a cluster is called so by chance.</summary>
    public const string Mark = "bench-";

    /// <summary>Longest prefix; the broker takes 120 characters for the name of a group.</summary>
    public const int PrefixLengthMax = 100;

    /// <summary>A prefix that no other run has.</summary>
    public static BenchNames New() => new(Mark + Guid.NewGuid().ToString("N")[..12]);

    public string Topic(int number) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}-{number}");

    public string Group(int number) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}-g{number}");
}
