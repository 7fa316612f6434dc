namespace Dledger.Broker.Filtering;

/// <summary>What an expression comes to for one message. Text is borrowed from the record or from the expression.</summary>
internal readonly ref struct SqlValue
{
    private readonly long _integer;
    private readonly double _real;

    private SqlValue(SqlKind kind, long integer, double real, ReadOnlySpan<byte> text)
    {
        Kind = kind;
        _integer = integer;
        _real = real;
        Text = text;
    }

    public static SqlValue Null => default;

    /// <summary>The expression cannot be evaluated for this message, which therefore does not match.</summary>
    public static SqlValue Error => new(SqlKind.Error, 0, 0, default);

    public SqlKind Kind { get; }

    /// <summary>UTF-8; only of <see cref="SqlKind.Text"/>.</summary>
    public ReadOnlySpan<byte> Text { get; }

    public bool IsTrue => Kind == SqlKind.Boolean && _integer != 0;

    public bool IsFalse => Kind == SqlKind.Boolean && _integer == 0;

    public bool IsNull => Kind == SqlKind.Null;

    public bool IsError => Kind == SqlKind.Error;

    public bool IsNumber => Kind is SqlKind.Int32 or SqlKind.Int64 or SqlKind.Double;

    public long Integer => _integer;

    /// <summary>A number as a double, whatever its kind.</summary>
    public double Real => Kind == SqlKind.Double ? _real : _integer;

    public static SqlValue Of(bool value) => new(SqlKind.Boolean, value ? 1 : 0, 0, default);

    /// <summary>Of the kind that it was written as: a sign does not change it.</summary>
    public static SqlValue Of(SqlKind kind, long value) => new(kind, value, 0, default);

    public static SqlValue Of(double value) => new(SqlKind.Double, 0, value, default);

    public static SqlValue Of(ReadOnlySpan<byte> text) => new(SqlKind.Text, 0, 0, text);

    /// <summary>Three-valued NOT.</summary>
    public SqlValue Not() => Kind switch
    {
        SqlKind.Boolean => Of(_integer == 0),
        SqlKind.Null => Null,
        _ => Error,
    };
}

/// <summary>The kinds of <see cref="SqlValue"/>.</summary>
internal enum SqlKind
{
    /// <summary>Missing or unknown.</summary>
    Null,

    Boolean,

    /// <summary>A whole number that fits 32 bits; text compared with it is read as such.</summary>
    Int32,

    Int64,

    Double,

    Text,

    Error,
}
