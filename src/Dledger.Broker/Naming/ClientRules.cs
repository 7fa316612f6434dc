using System.Text;

namespace Dledger.Broker.Naming;

/// <summary>The rules of what a client says about itself.</summary>
public static class ClientRules
{
    /// <summary>Null when the client's properties are well formed: keys are <c>[a-zA-Z][a-zA-Z0-9_.-]*</c>.</summary>
    public static Violation? CheckProperties(IReadOnlyCollection<KeyValuePair<string, string>> properties)
    {
        if (properties.Count > Limits.ClientPropertyCountMax)
        {
            return Broken(
                $"there are {properties.Count} client properties; the limit is {Limits.ClientPropertyCountMax}");
        }

        var bytes = 0;
        foreach (var (key, value) in properties)
        {
            if (key.Length is 0 or > Limits.ClientPropertyKeyLengthMax || !IsKey(key))
            {
                return Broken(
                    $"the client property key '{Names.Printable(key)}' is not " +
                    $"1 to {Limits.ClientPropertyKeyLengthMax} letters, digits, '_', '.', '-', " +
                    "beginning with a letter");
            }

            if (value.Length > Limits.ClientPropertyValueLengthMax)
            {
                return Broken(
                    $"the value of client property '{key}' has {value.Length} characters; " +
                    $"the limit is {Limits.ClientPropertyValueLengthMax}");
            }

            bytes += Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value);
        }

        return bytes > Limits.ClientPropertyBytesMax
            ? Broken($"client properties have {bytes} UTF-8 bytes; the limit is {Limits.ClientPropertyBytesMax}")
            : null;

        static Violation Broken(string detail) => new(BrokenRule.ClientProperties, detail);
    }

    private static bool IsKey(string key)
    {
        foreach (var character in key)
        {
            if (!char.IsAsciiLetterOrDigit(character) && character is not ('_' or '.' or '-'))
            {
                return false;
            }
        }

        return char.IsAsciiLetter(key[0]);
    }
}
