using System.Globalization;

namespace Dledger.Benchmarks.Comparisons;

/// <summary>What a comparison does, from the arguments of its command.</summary>
internal sealed record ComparisonOptions
{
    public const string Usage =
        """
        dledger-benchmarks peers EXECUTABLE [--seconds n] [--warm-up n] [--rounds n] [--body bytes] [--only a,b] [--rows a,b]
                                            [--json FILE] [--docs FILE]
        """;

    private const int SecondsMax = 600;
    private const int RoundsMax = 20;
    private const int BodyBytesMin = 24;
    private const int BodyBytesMax = 256 << 10;

    /// <summary>The built <c>dledger</c>.</summary>
    public required string Executable { get; init; }

    /// <summary>Of each row.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Before each row, not counted.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often each system has its turn.</summary>
    public int Rounds { get; init; } = 3;

    public int BodyBytes { get; init; } = 1024;

    /// <summary>Keys of the systems that take part; empty: all.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>Keys of the rows; empty: all.</summary>
    public IReadOnlyList<string> Rows { get; init; } = [];

    /// <summary>Takes everything that was measured; null: nowhere.</summary>
    public string? JsonFile { get; init; }

    /// <summary>Gets a section with the tables; null: none does.</summary>
    public string? DocumentFile { get; init; }

    /// <exception cref="ArgumentException">An argument is not one of these, or out of its range; the message is for the user.</exception>
    public static ComparisonOptions Parse(IReadOnlyList<string> arguments)
    {
        if (arguments.Count == 0 || arguments[0].StartsWith("--", StringComparison.Ordinal))
        {
            throw new ArgumentException($"Name the built dledger executable.\n{Usage}");
        }

        var options = new ComparisonOptions { Executable = Path.GetFullPath(arguments[0]) };
        for (var i = 1; i < arguments.Count; i += 2)
        {
            if (i + 1 == arguments.Count)
            {
                throw new ArgumentException($"{arguments[i]} needs a value.\n{Usage}");
            }

            options = options.With(arguments[i], arguments[i + 1]);
        }

        return options;
    }

    private ComparisonOptions With(string name, string value) => name switch
    {
        "--seconds" => this with { Duration = TimeSpan.FromSeconds(Number(name, value, 1, SecondsMax)) },
        "--warm-up" => this with { WarmUp = TimeSpan.FromSeconds(Number(name, value, 0, SecondsMax)) },
        "--rounds" => this with { Rounds = Number(name, value, 1, RoundsMax) },
        "--body" => this with { BodyBytes = Number(name, value, BodyBytesMin, BodyBytesMax) },
        "--only" => this with { Only = Keys(name, value, Contestants.Keys) },
        "--rows" => this with { Rows = Keys(name, value, [.. ContestRow.All.Select(row => row.Key)]) },
        "--json" => this with { JsonFile = Path.GetFullPath(value) },
        "--docs" => this with { DocumentFile = Path.GetFullPath(value) },
        _ => throw new ArgumentException($"{name} is not an option.\n{Usage}"),
    };

    private static int Number(string name, string value, int min, int max) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new ArgumentException($"{name} {value}: not a number from {min} to {max}.");

    private static IReadOnlyList<string> Keys(string name, string value, IReadOnlyList<string> known)
    {
        var keys = value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return keys.FirstOrDefault(key => !known.Contains(key)) is { } unknown
            ? throw new ArgumentException($"{name} {unknown}: not one of {string.Join(", ", known)}.")
            : keys;
    }
}
