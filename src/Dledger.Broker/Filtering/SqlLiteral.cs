using System.Text;

namespace Dledger.Broker.Filtering;

/// <summary>A value that stands in the expression itself.</summary>
internal sealed class SqlLiteral : SqlNode
{
    private readonly long _integer;
    private readonly double _real;
    private readonly byte[] _text = [];

    private SqlLiteral(SqlKind kind, long integer = 0, double real = 0, byte[]? text = null)
        : base(1)
    {
        Kind = kind;
        _integer = integer;
        _real = real;
        _text = text ?? [];
    }

    public static SqlLiteral Null { get; } = new(SqlKind.Null);

    public SqlKind Kind { get; }

    public bool IsNumber => Kind is SqlKind.Int32 or SqlKind.Int64 or SqlKind.Double;

    public override bool IsBoolean => Kind == SqlKind.Boolean;

    public static SqlLiteral Of(bool value) => new(SqlKind.Boolean, value ? 1 : 0);

    public static SqlLiteral Of(long value) =>
        new(value is >= int.MinValue and <= int.MaxValue ? SqlKind.Int32 : SqlKind.Int64, value);

    public static SqlLiteral Of(double value) => new(SqlKind.Double, real: value);

    public static SqlLiteral Of(string text) => new(SqlKind.Text, text: Encoding.UTF8.GetBytes(text));

    public override SqlValue Evaluate(in SqlMessage message) => Value;

    public SqlValue Value => Kind switch
    {
        SqlKind.Null => SqlValue.Null,
        SqlKind.Boolean => SqlValue.Of(_integer != 0),
        SqlKind.Double => SqlValue.Of(_real),
        SqlKind.Text => SqlValue.Of(_text),
        _ => SqlValue.Of(Kind, _integer),
    };
}
