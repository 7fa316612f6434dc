using System.Text;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;

namespace Dledger.Broker.Receiving;

/// <summary>A tag expression: everything, or one of some tags (RocketMQ's TAG filter).</summary>
public sealed class TagFilter
{
    /// <summary>Matches every message.</summary>
    public static readonly TagFilter All = new([], []);

    private readonly string[] _tags;
    private readonly byte[][] _utf8;
    private readonly long[] _hashes;

    private TagFilter(string[] tags, long[] hashes)
    {
        _tags = tags;
        _utf8 = Array.ConvertAll(tags, Encoding.UTF8.GetBytes);
        _hashes = hashes;
    }

    /// <summary>Whether every message matches, with or without a tag.</summary>
    public bool MatchesAll => _tags.Length == 0;

    /// <summary>The tags, distinct, in the order of the expression; empty for "everything".</summary>
    public IReadOnlyList<string> Tags => _tags;

    /// <summary>
    /// Reads an expression: null, blank or <c>*</c> match everything; otherwise tags separated by <c>||</c>, trimmed,
    /// empty
    /// parts dropped.
    /// </summary>
    public static bool TryParse(string? expression, out TagFilter filter, out Violation violation)
    {
        filter = All;
        violation = default;
        var text = (expression ?? "").Trim();
        if (text.Length == 0 || text == "*")
        {
            return true;
        }

        if (text.Length > Limits.FilterLengthMax)
        {
            violation = new Violation(
                BrokenRule.FilterExpression,
                $"the filter expression has {text.Length} characters; the limit is {Limits.FilterLengthMax}");
            return false;
        }

        var tags = text
            .Split("||", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Distinct(StringComparer.Ordinal)
            .ToArray();
        if (tags.Length == 0 || tags.Length > Limits.FilterTagCountMax)
        {
            violation = new Violation(
                BrokenRule.FilterExpression,
                $"the filter expression names {tags.Length} tags; 1 to {Limits.FilterTagCountMax} are allowed");
            return false;
        }

        filter = new TagFilter(tags, [.. tags.Select(TagHash.Of)]);
        return true;
    }

    /// <summary>Whether a message with this tag hash may match; equal hashes do not prove equal tags.</summary>
    public bool MayMatch(long tagHash) => MatchesAll || Array.IndexOf(_hashes, tagHash) >= 0;

    /// <summary>Whether a message with this tag matches. A message without a tag matches only "everything".</summary>
    public bool Matches(string? tag) => MatchesAll || (tag is not null && Array.IndexOf(_tags, tag) >= 0);

    /// <summary>The same for the property map of a stored message.</summary>
    internal bool Matches(ReadOnlySpan<byte> properties)
    {
        if (MatchesAll)
        {
            return true;
        }

        if (!MessageDecoder.TryFindTag(properties, out var stored))
        {
            return false;
        }

        foreach (var tag in _utf8)
        {
            if (stored.SequenceEqual(tag))
            {
                return true;
            }
        }

        return false;
    }
}
