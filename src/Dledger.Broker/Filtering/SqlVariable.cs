using System.Text;

namespace Dledger.Broker.Filtering;

/// <summary>A name in an expression: a user property, or one of the names that RocketMQ keeps for itself.</summary>
internal sealed class SqlVariable(string name) : SqlNode(1)
{
    private readonly byte[] _name = Encoding.UTF8.GetBytes(name);

    public ReadOnlySpan<byte> Name => _name;

    public SqlSource Source { get; } = name switch
    {
        "TAGS" => SqlSource.Tag,
        "KEYS" => SqlSource.Keys,
        "UNIQ_KEY" => SqlSource.MessageId,
        _ => SqlSource.UserProperty,
    };

    public override SqlValue Evaluate(in SqlMessage message) => message.Find(this);
}

/// <summary>Where the value of a variable comes from.</summary>
internal enum SqlSource
{
    UserProperty,
    Tag,

    /// <summary>All business keys, blanks between them.</summary>
    Keys,
    MessageId,
}
