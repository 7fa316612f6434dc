namespace Dledger.Broker.Filtering;

/// <summary>What a token of a filter expression is.</summary>
internal enum SqlTokenKind
{
    /// <summary>The end of the text.</summary>
    End,

    /// <summary>A property name.</summary>
    Name,

    /// <summary>Text in single quotes.</summary>
    Text,
    Integer,
    Float,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Open,
    Close,
    Comma,
    Plus,
    Minus,
    And,
    Or,
    Not,
    Is,
    Null,
    True,
    False,
    Between,
    In,
    Contains,
    StartsWith,
    EndsWith,
}

/// <summary>One token: its kind and where it stands in the text, in characters.</summary>
internal readonly record struct SqlToken(SqlTokenKind Kind, int Start, int Length);
