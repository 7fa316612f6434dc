using System.Globalization;
using Dledger.Broker.Naming;

namespace Dledger.Broker.Filtering;

/// <summary>Cuts a filter expression into tokens, the longest possible one at each place. Grammar: docs/filters.md.</summary>
internal sealed class SqlLexer(string text)
{
    private static readonly Dictionary<string, SqlTokenKind> Keywords = new(StringComparer.OrdinalIgnoreCase)
    {
        ["AND"] = SqlTokenKind.And,
        ["OR"] = SqlTokenKind.Or,
        ["NOT"] = SqlTokenKind.Not,
        ["IS"] = SqlTokenKind.Is,
        ["NULL"] = SqlTokenKind.Null,
        ["TRUE"] = SqlTokenKind.True,
        ["FALSE"] = SqlTokenKind.False,
        ["BETWEEN"] = SqlTokenKind.Between,
        ["IN"] = SqlTokenKind.In,
        ["CONTAINS"] = SqlTokenKind.Contains,
        ["STARTSWITH"] = SqlTokenKind.StartsWith,
        ["ENDSWITH"] = SqlTokenKind.EndsWith,
    };

    private int _at;

    /// <summary>The next token; the end again and again once it is reached.</summary>
    public SqlToken Next()
    {
        SkipBlanks();
        if (_at == text.Length)
        {
            return new SqlToken(SqlTokenKind.End, _at, 0);
        }

        var first = text[_at];
        if (IsNameStart(first))
        {
            return Name();
        }

        if (char.IsAsciiDigit(first) || (first == '.' && char.IsAsciiDigit(At(_at + 1))))
        {
            return Number();
        }

        return first == '\'' ? Quoted() : Symbol(first);
    }

    private static bool IsNameStart(char character) => char.IsAsciiLetter(character) || character is '_' or '$';

    // NUL stands for what is behind the end; no rule takes it.
    private char At(int index) => index < text.Length ? text[index] : '\0';

    private void SkipBlanks()
    {
        while (_at < text.Length)
        {
            if (text[_at] is ' ' or '\t' or '\r' or '\n' or '\f')
            {
                _at++;
            }
            else if (!TrySkipComment())
            {
                return;
            }
        }
    }

    private bool TrySkipComment()
    {
        // Without its line end it is no comment but two signs, as in RocketMQ.
        var end = text[_at] switch
        {
            '-' when At(_at + 1) == '-' => text.AsSpan(_at).IndexOfAny('\r', '\n') + 1,
            '/' when At(_at + 1) == '*' => text.AsSpan(_at + 2).IndexOf("*/", StringComparison.Ordinal) is >= 0 and var length
                ? length + 4
                : 0,
            _ => 0,
        };
        _at += end;
        return end > 0;
    }

    private SqlToken Name()
    {
        var start = _at;
        while (IsNameStart(At(_at)) || char.IsAsciiDigit(At(_at)))
        {
            _at++;
        }

        var kind = Keywords.GetAlternateLookup<ReadOnlySpan<char>>()
            .TryGetValue(text.AsSpan(start, _at - start), out var keyword) ? keyword : SqlTokenKind.Name;
        return new SqlToken(kind, start, _at - start);
    }

    private SqlToken Number()
    {
        var start = _at;
        var end = DigitsFrom(start);
        var isFloat = false;
        if (At(end) == '.' && (end > start || char.IsAsciiDigit(At(end + 1))))
        {
            isFloat = true;
            end = DigitsFrom(end + 1);
        }

        if (At(end) is 'e' or 'E')
        {
            var digits = At(end + 1) is '+' or '-' ? end + 2 : end + 1;
            if (char.IsAsciiDigit(At(digits)))
            {
                isFloat = true;
                end = DigitsFrom(digits);
            }
        }

        if (!isFloat)
        {
            // A leading zero is a number of its own.
            end = text[start] == '0' ? start + 1 : end;
            end += text[start] != '0' && At(end) is 'l' or 'L' ? 1 : 0;
        }

        _at = end;
        return new SqlToken(isFloat ? SqlTokenKind.Float : SqlTokenKind.Integer, start, end - start);
    }

    private int DigitsFrom(int index)
    {
        while (char.IsAsciiDigit(At(index)))
        {
            index++;
        }

        return index;
    }

    private SqlToken Quoted()
    {
        var start = _at;
        for (var index = start + 1; index < text.Length; index++)
        {
            if (text[index] != '\'')
            {
                continue;
            }

            if (At(index + 1) == '\'')
            {
                index++;
                continue;
            }

            _at = index + 1;
            return new SqlToken(SqlTokenKind.Text, start, _at - start);
        }

        throw new SqlSyntaxException(start, "the text that begins here has no closing quote");
    }

    private SqlToken Symbol(char first)
    {
        var (kind, length) = (first, At(_at + 1)) switch
        {
            ('<', '>') => (SqlTokenKind.NotEqual, 2),
            ('<', '=') => (SqlTokenKind.LessOrEqual, 2),
            ('>', '=') => (SqlTokenKind.GreaterOrEqual, 2),
            ('<', _) => (SqlTokenKind.Less, 1),
            ('>', _) => (SqlTokenKind.Greater, 1),
            ('=', _) => (SqlTokenKind.Equal, 1),
            ('(', _) => (SqlTokenKind.Open, 1),
            (')', _) => (SqlTokenKind.Close, 1),
            (',', _) => (SqlTokenKind.Comma, 1),
            ('+', _) => (SqlTokenKind.Plus, 1),
            ('-', _) => (SqlTokenKind.Minus, 1),
            ('!', '=') => throw new SqlSyntaxException(_at, "'!=' is not known; write '<>'"),
            ('"', _) => throw new SqlSyntaxException(_at, "text stands in single quotes, not in double ones"),
            ('/', '*') => throw new SqlSyntaxException(_at, "the comment that begins here does not end"),
            _ => throw new SqlSyntaxException(_at, $"the character {Shown(first)} has no meaning here"),
        };
        var token = new SqlToken(kind, _at, length);
        _at += length;
        return token;
    }

    private static string Shown(char character) => char.IsControl(character) || char.IsSurrogate(character)
        ? string.Create(CultureInfo.InvariantCulture, $"U+{(int)character:X4}")
        : $"'{Names.Printable(character.ToString())}'";
}
