using Dledger.Broker.Naming;
using Dledger.Broker.Receiving;
using Dledger.Storage.Records;

namespace Dledger.Broker.Filtering;

/// <summary>Which messages a receiver wants: by tag, or by an SQL expression. Immutable; any thread.</summary>
public sealed class MessageFilter
{
    /// <summary>Matches every message.</summary>
    public static readonly MessageFilter All = new(TagFilter.All, null);

    private readonly SqlFilter? _sql;

    private MessageFilter(TagFilter tags, SqlFilter? sql)
    {
        Tags = tags;
        _sql = sql;
        Text = sql is not null ? $"SQL {sql.Text}"
            : tags.MatchesAll ? "*"
            : string.Join(" || ", tags.Tags.Order(StringComparer.Ordinal));
    }

    /// <summary>Equal texts want the same messages: <c>*</c>, sorted tags, or <c>SQL</c> and the expression.</summary>
    public string Text { get; }

    /// <summary>Whether every message matches.</summary>
    public bool MatchesAll => _sql is null && Tags.MatchesAll;

    /// <summary>Whether an index entry alone says nothing: the record has to be read.</summary>
    public bool NeedsRecords => _sql is not null;

    /// <summary>What can be said by tag alone; everything for an SQL filter.</summary>
    public TagFilter Tags { get; }

    public static MessageFilter Of(TagFilter tags) => tags.MatchesAll ? All : new MessageFilter(tags, null);

    public static MessageFilter Of(SqlFilter sql) => new(TagFilter.All, sql);

    /// <summary>Reads a tag expression.</summary>
    public static bool TryParseTags(string? expression, out MessageFilter filter, out Violation violation)
    {
        var isValid = TagFilter.TryParse(expression, out var tags, out violation);
        filter = Of(tags);
        return isValid;
    }

    /// <summary>Compiles an SQL expression.</summary>
    public static bool TryParseSql(string? expression, out MessageFilter filter, out Violation violation)
    {
        var isValid = SqlFilter.TryParse(expression, out var sql, out violation);
        filter = sql is null ? All : Of(sql);
        return isValid;
    }

    /// <summary>Whether a message with this tag hash may match; only its record proves it.</summary>
    public bool MayMatch(long tagHash) => Tags.MayMatch(tagHash);

    /// <summary>The expression of an SQL filter; null for tags.</summary>
    public string? Sql => _sql?.Text;

    /// <summary>Whether a message matches.</summary>
    internal bool Matches(in SqlMessage message) =>
        MatchesAll || (_sql?.Matches(message) ?? message.Matches(Tags));

    /// <summary>Whether the message of a verified record matches.</summary>
    internal bool Matches(in RecordView record) =>
        MatchesAll || (_sql?.Matches(record) ?? Tags.Matches(record.Properties));

    /// <inheritdoc/>
    public override string ToString() => Text;
}
