using System.Globalization;
using System.Text.Json;

namespace Dledger.Server.Options;

/// <summary>Gathers options from file, environment and command line as flat text; a later source wins.</summary>
/// <remarks>Keys are paths with dots (<c>nodes.0.host</c>), compared without case. Not safe for several
/// threads.</remarks>
internal sealed class OptionSources(List<string> problems)
{
    /// <summary>Begins the names of environment variables; the parts are joined by two underscores.</summary>
    public const string EnvironmentPrefix = "DLEDGER__";

    private static readonly JsonDocumentOptions JsonReading = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        MaxDepth = 8,
    };

    private readonly Dictionary<string, (string Text, string Source)> _values = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>All keys that were set, with the value and where it was set.</summary>
    public IReadOnlyDictionary<string, (string Text, string Source)> Values => _values;

    /// <summary>A JSON file; comments and trailing commas are fine.</summary>
    public void AddFile(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), JsonReading);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                problems.Add($"{path}: must hold one JSON object");
                return;
            }

            Flatten("", document.RootElement, path, new HashSet<string>(StringComparer.OrdinalIgnoreCase));
        }
        catch (JsonException exception)
        {
            problems.Add($"{path}: is not JSON, line {exception.LineNumber + 1}: {exception.Message}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            problems.Add($"{path}: cannot be read: {exception.Message}");
        }
    }

    /// <summary>Those of the variables that begin with <see cref="EnvironmentPrefix"/>.</summary>
    public void AddEnvironment(IReadOnlyDictionary<string, string> variables)
    {
        foreach (var (name, text) in variables.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (name.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase))
            {
                var key = name[EnvironmentPrefix.Length..].Replace("__", ".", StringComparison.Ordinal);
                _values[key] = (text, $"environment variable {name}");
            }
        }
    }

    /// <summary>Keys given on the command line or by the caller.</summary>
    public void AddOverrides(IReadOnlyDictionary<string, string> overrides)
    {
        foreach (var (key, text) in overrides)
        {
            _values[key] = (text, "command line");
        }
    }

    private void Flatten(string prefix, JsonElement element, string path, HashSet<string> seen)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in element.EnumerateObject())
                {
                    Flatten(Join(prefix, member.Name), member.Value, path, seen);
                }

                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in element.EnumerateArray())
                {
                    Flatten(Join(prefix, index++.ToString(CultureInfo.InvariantCulture)), item, path, seen);
                }

                break;
            case JsonValueKind.Null:
                break;
            default:
                if (!seen.Add(prefix))
                {
                    problems.Add($"{prefix} (in {path}): is set twice");
                }

                _values[prefix] = (element.ToString(), path);
                break;
        }
    }

    private static string Join(string prefix, string name) => prefix.Length == 0 ? name : $"{prefix}.{name}";
}
