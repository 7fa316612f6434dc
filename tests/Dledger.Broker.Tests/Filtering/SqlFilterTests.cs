using Dledger.Broker.Filtering;
using Dledger.Broker.Messages;
using Dledger.Broker.Naming;

namespace Dledger.Broker.Tests.Filtering;

/// <summary>Every row of the grammar and of the table of evaluation (protocol 6.2, 6.3, 8.45).</summary>
public sealed class SqlFilterTests
{
    [Theory]
    // Equality: by value; another type is read as the literal's.
    [InlineData("a = 'x'", "a=x", true)]
    [InlineData("a = 'x'", "a=X", false)]
    [InlineData("A = 'x'", "a=x", false)]
    [InlineData("a = 'x'", "", false)]
    [InlineData("a = 'it''s'", "a=it's", true)]
    [InlineData("a = ''", "a=", true)]
    [InlineData("a = 'ä€😀'", "a=ä€😀", true)]
    [InlineData("a <> 'x'", "a=y", true)]
    [InlineData("a <> 'x'", "a=x", false)]
    [InlineData("a <> 'x'", "", false)]
    [InlineData("a = b", "a=x;b=x", true)]
    [InlineData("a = b", "a=x;b=y", false)]
    [InlineData("a = b", "", true)]
    [InlineData("a = b", "b=x", false)]
    [InlineData("a = b", "a=x", false)]
    [InlineData("a <> b", "a=x", true)]
    [InlineData("a <> b", "b=x", false)]
    [InlineData("a <> b", "", false)]
    [InlineData("(a = b) IS NULL", "b=x", true)]
    [InlineData("(a = b) IS NULL", "a=x", false)]
    [InlineData("a = 5", "a=5", true)]
    [InlineData("a = 5", "a=05", true)]
    [InlineData("a = 5", "a=+5", true)]
    [InlineData("a = -5", "a=-5", true)]
    [InlineData("a = +5", "a=5", true)]
    [InlineData("a = 5L", "a=5", true)]
    [InlineData("a = 5", "a=5.0", false)]
    [InlineData("NOT (a = 5)", "a=5.0", false)]
    [InlineData("a <> 5", "a=5.0", false)]
    [InlineData("a = 5", "a= 5", false)]
    [InlineData("a <> 5", "a=3000000000", false)]
    [InlineData("a <> 3000000000", "a=3000000001", true)]
    [InlineData("a = 3000000000", "a=3000000000", true)]
    [InlineData("5 = a", "a=5", true)]
    [InlineData("a = 5.0", "a=5", true)]
    [InlineData("a = 5.0", "a= 5.00 ", true)]
    [InlineData("a = 5.", "a=5", true)]
    [InlineData("a = .5", "a=0.5", true)]
    [InlineData("a = 5e2", "a=500", true)]
    [InlineData("a = 5.0", "a=NaN", false)]
    [InlineData("a <> 5.0", "a=x", false)]
    [InlineData("a = 007.5", "a=7.5", true)]
    [InlineData("a > 0.0", "a=0.1", true)]
    [InlineData("5 = 5.0", "", true)]
    [InlineData("3000000000 = 3000000000.0", "", true)]
    [InlineData("'5' = 5", "", true)]
    [InlineData("a = TRUE", "a=True", true)]
    [InlineData("a = TRUE", "a=yes", false)]
    [InlineData("a = FALSE", "a=yes", true)]
    [InlineData("TRUE = a", "a=true", false)]
    [InlineData("FALSE = a", "a=true", false)]
    [InlineData("a = (b IS NULL)", "a=true", true)]
    [InlineData("(a = 'x') = (b = 'y')", "a=x;b=y", true)]
    [InlineData("(a = 'x') = 5", "a=x", false)]
    [InlineData("NOT ((a = 'x') = 5)", "a=x", true)]
    [InlineData("a = 'x' = TRUE", "a=x", true)]

    // IS NULL
    [InlineData("a IS NULL", "", true)]
    [InlineData("a IS NULL", "a=x", false)]
    [InlineData("a IS NOT NULL", "a=", true)]
    [InlineData("a IS NOT NULL", "", false)]
    [InlineData("(a = 5) IS NULL", "a=x", false)]

    // Order
    [InlineData("a > 5", "a=6", true)]
    [InlineData("a > 5", "a=5", false)]
    [InlineData("a > 5", "a=7.5", false)]
    [InlineData("a > 5.0", "a=7.5", true)]
    [InlineData("a > 5", "", false)]
    [InlineData("(a > 5) IS NULL", "", true)]
    [InlineData("NOT (a > 5)", "", false)]
    [InlineData("a >= 5", "a=5", true)]
    [InlineData("a < 5", "a=-6", true)]
    [InlineData("a <= -5", "a=-5", true)]
    [InlineData("a < b", "a=9;b=10", true)]
    [InlineData("a < b", "a=x;b=y", false)]
    [InlineData("NOT (a < b)", "a=x;b=y", false)]
    [InlineData("5 < 6.5", "", true)]
    [InlineData("5 < a", "a=6", true)]
    [InlineData("a > 3000000000", "a=3000000001", true)]
    [InlineData("a > 5", "a=3000000001", false)]

    // BETWEEN
    [InlineData("a BETWEEN 1 AND 3", "a=1", true)]
    [InlineData("a BETWEEN 1 AND 3", "a=3", true)]
    [InlineData("a BETWEEN 1 AND 3", "a=4", false)]
    [InlineData("a BETWEEN 1 AND 3", "", false)]
    [InlineData("a BETWEEN 3 AND 3", "a=3", true)]
    [InlineData("a BETWEEN b AND c", "a=2;b=1;c=3", true)]
    [InlineData("a NOT BETWEEN 1 AND 3", "a=0", true)]
    [InlineData("a NOT BETWEEN 1 AND 3", "a=4", true)]
    [InlineData("a NOT BETWEEN 1 AND 3", "a=2", false)]
    [InlineData("a NOT BETWEEN 1 AND 3", "", false)]
    [InlineData("a BETWEEN 1 AND 3 AND b = 'x'", "a=2;b=x", true)]

    // IN
    [InlineData("a IN ('x','y')", "a=y", true)]
    [InlineData("a IN ('x','y')", "a=z", false)]
    [InlineData("a IN ('x','y')", "", false)]
    [InlineData("(a IN ('x')) IS NULL", "", true)]
    [InlineData("a NOT IN ('x')", "a=z", true)]
    [InlineData("a NOT IN ('x')", "a=x", false)]
    [InlineData("a NOT IN ('x')", "", false)]

    // CONTAINS and its kin
    [InlineData("a CONTAINS 'b'", "a=abc", true)]
    [InlineData("a CONTAINS 'B'", "a=abc", false)]
    [InlineData("a CONTAINS 'b'", "", false)]
    [InlineData("(a CONTAINS 'b') IS NULL", "", false)]
    [InlineData("a CONTAINS ''", "a=abc", false)]
    [InlineData("a NOT CONTAINS 'b'", "a=xyz", true)]
    [InlineData("a NOT CONTAINS 'b'", "a=abc", false)]
    [InlineData("a NOT CONTAINS 'b'", "", false)]
    [InlineData("a NOT CONTAINS ''", "a=abc", false)]
    [InlineData("a STARTSWITH 'ab'", "a=abc", true)]
    [InlineData("a STARTSWITH 'bc'", "a=abc", false)]
    [InlineData("a NOT STARTSWITH 'bc'", "a=abc", true)]
    [InlineData("a NOT STARTSWITH 'bc'", "", false)]
    [InlineData("a ENDSWITH 'bc'", "a=abc", true)]
    [InlineData("a NOT ENDSWITH 'bc'", "a=abd", true)]
    [InlineData("a NOT ENDSWITH ''", "a=abd", false)]
    [InlineData("5 CONTAINS '5'", "", false)]
    [InlineData("NOT (a CONTAINS 'b')", "", true)]

    // AND, OR, NOT: three-valued
    [InlineData("a > 5 AND b = 'x'", "a=6;b=x", true)]
    [InlineData("(a = 1 AND b = 1) IS NULL", "b=1", true)]
    [InlineData("(a = 1 AND b = 1) IS NULL", "b=2", false)]
    [InlineData("a = 1 OR b = 1", "b=1", true)]
    [InlineData("(a = 1 OR b = 1) IS NULL", "b=2", true)]
    [InlineData("(NOT (a = 1)) IS NULL", "", true)]
    [InlineData("NOT (a = 'x')", "a=y", true)]
    [InlineData("NOT (a = 'x')", "", false)]
    [InlineData("NOT a = 'x'", "a=y", false)]
    [InlineData("a = 'x' OR b = 'x' AND c = 'x'", "a=x", true)]
    [InlineData("(a = 'x' OR b = 'x') AND c = 'x'", "a=x", false)]
    [InlineData("a = 1 OR b = 'x'", "a=no;b=x", false)]
    [InlineData("b = 'x' OR a = 1", "a=no;b=x", true)]
    [InlineData("TRUE", "", true)]
    [InlineData("FALSE", "", false)]
    [InlineData("NOT FALSE AND TRUE", "", true)]

    // A bare property as a condition; signs
    [InlineData("a", "a=true", false)]
    [InlineData("NOT a", "a=true", true)]
    [InlineData("NOT a", "", false)]
    [InlineData("+a", "a=x", false)]
    [InlineData("a > 1 AND b", "a=2;b=true", false)]
    [InlineData("-a = 5", "a=-5", false)]
    [InlineData("(-a = 5) IS NULL", "a=-5", true)]
    [InlineData("a = - -5", "a=5", true)]

    // Names, words, blanks, comments
    [InlineData("_a$1 = 'x'", "_a$1=x", true)]
    [InlineData("$ = 'x'", "$=x", true)]
    [InlineData("a in ('x') aNd not b is nuLL", "a=x", true)]
    [InlineData("\t\r\n\fa\f=\n'x' ", "a=x", true)]
    [InlineData("a = /* b = */ 'x'", "a=x", true)]
    [InlineData("a = -- b\n'x'", "a=x", true)]
    [InlineData("-- c\r a = 'x' -- d\n", "a=x", true)]
    [InlineData("a=--5", "a=5", true)]
    [InlineData("inx = 'x'", "inx=x", true)]

    // System names
    [InlineData("TAGS = 'A'", "", true)]
    [InlineData("tags = 'A'", "", false)]
    [InlineData("KEYS = 'k1 k2'", "", true)]
    [InlineData("KEYS CONTAINS 'k2'", "", true)]
    [InlineData("UNIQ_KEY = 'id-1'", "", true)]
    public void An_expression_matches_what_the_table_says(string expression, string properties, bool expected) =>
        Assert.Equal(expected, Matches(expression, properties));

    [Theory]
    [InlineData("", 0, "empty")]
    [InlineData("   ", 0, "empty")]
    [InlineData("a LIKE 'x%'", 3, "LIKE is not known")]
    [InlineData("a > 'x'", 5, "order")]
    [InlineData("'x' < a", 1, "order")]
    [InlineData("a > TRUE", 5, "order")]
    [InlineData("a > NULL", 5, "order")]
    [InlineData("a > (b = 'x')", 5, "order")]
    [InlineData("a > 5 > 3", 1, "order")]
    [InlineData("a BETWEEN 'x' AND 'y'", 11, "order")]
    [InlineData("a BETWEEN 1 AND NULL", 17, "order")]
    [InlineData("a BETWEEN 3 AND 1", 11, "greater")]
    [InlineData("a NOT BETWEEN 3.5 AND 3", 15, "greater")]
    [InlineData("a = NULL", 5, "IS NULL")]
    [InlineData("NULL <> a", 1, "IS NULL")]
    [InlineData("TRUE = 1", 1, "TRUE and FALSE")]
    [InlineData("1 <> FALSE", 1, "TRUE and FALSE")]
    [InlineData("5 IN ('x')", 1, "property name")]
    [InlineData("a IN ()", 7, "text in single quotes")]
    [InlineData("a IN (5)", 7, "text in single quotes")]
    [InlineData("a IN ('x'", 10, "ends")]
    [InlineData("a CONTAINS b", 12, "text in single quotes")]
    [InlineData("a AND 5", 7, "condition")]
    [InlineData("'x' OR a", 1, "condition")]
    [InlineData("NOT 5", 5, "condition")]
    [InlineData("5", 1, "condition")]
    [InlineData("'x'", 1, "condition")]
    [InlineData("NULL", 1, "condition")]
    [InlineData("-a", 1, "condition")]
    [InlineData("a = 1 b", 7, "end of the expression")]
    [InlineData("a = 007", 6, "end of the expression")]
    [InlineData("a = 0L", 6, "end of the expression")]
    [InlineData("(a = 1", 7, "ends")]
    [InlineData("a = 1)", 6, "end of the expression")]
    [InlineData("a !=  1", 3, "'<>'")]
    [InlineData("a = \"x\"", 5, "single quotes")]
    [InlineData("a = 'x", 5, "closing quote")]
    [InlineData("a + 1 = 2", 3, "end of the expression")]
    [InlineData("a.b = 'x'", 2, "no meaning")]
    [InlineData("a-b = 'x'", 2, "end of the expression")]
    [InlineData("a = 1 /* x", 7, "does not end")]
    [InlineData("a = 1 -- x", 7, "end of the expression")]
    [InlineData("a IS 5", 6, "NULL")]
    [InlineData("a NOT 'x'", 7, "BETWEEN")]
    [InlineData("a = 9223372036854775808", 5, "64 bits")]
    [InlineData("a = 1e999", 5, "double")]
    [InlineData("a = ?", 5, "'?'")]
    [InlineData("a = \u0001", 5, "U+0001")]
    [InlineData("in = 'x'", 1, "property name")]
    public void What_the_compiler_refuses_is_named_with_its_place(string expression, int character, string reason)
    {
        Assert.False(SqlFilter.TryParse(expression, out var filter, out var violation));

        Assert.Null(filter);
        Assert.Equal(BrokenRule.FilterExpression, violation.Rule);
        Assert.Contains(reason, violation.Detail, StringComparison.Ordinal);
        if (character > 0)
        {
            Assert.Contains($"character {character}:", violation.Detail, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("(", "a", ")")]
    [InlineData("NOT ", "a", "")]
    [InlineData("-", "5 = a", "")]
    [InlineData("", "a", " = a")]
    [InlineData("", "a", " IS NULL")]
    [InlineData("", "a", " CONTAINS 'x'")]
    public void Deep_nesting_is_refused_and_reasonable_nesting_is_not(string before, string core, string after)
    {
        Assert.True(SqlFilter.TryParse(Nested(100), out _, out _));

        Assert.False(SqlFilter.TryParse(Nested(Math.Min(1_500, (4_090 - core.Length) / (before.Length + after.Length))), out _, out var deep));
        Assert.Contains("deeper than 200 levels", deep.Detail, StringComparison.Ordinal);

        string Nested(int levels) => before == "-"
            ? string.Concat(Enumerable.Repeat("- ", levels)) + core
            : string.Concat(Enumerable.Repeat(before, levels)) + core + string.Concat(Enumerable.Repeat(after, levels));
    }

    [Fact]
    public void Long_chains_of_AND_and_OR_are_no_nesting()
    {
        var chain = string.Join(" OR ", Enumerable.Range(0, 300).Select(i => $"a = {i}"));

        Assert.True(Matches(chain, "a=299"));
    }

    [Fact]
    public void An_expression_above_the_limit_is_refused_with_the_limit()
    {
        Assert.False(SqlFilter.TryParse($"a = '{new string('x', 4_096)}'", out _, out var violation));
        Assert.Contains("the limit is 4096", violation.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_compiled_expression_is_found_again_by_its_text_and_their_number_is_bounded()
    {
        var cache = new FilterCache();
        Assert.True(cache.TryGet("a = 1", out var first, out _));
        Assert.True(cache.TryGet("a = 1", out var second, out _));
        Assert.Same(first, second);

        for (var i = 0; i < 3 * FilterCache.CountMax; i++)
        {
            Assert.True(cache.TryGet($"a = {i}", out _, out _));
        }

        Assert.False(cache.TryGet("a >", out _, out _));
        Assert.InRange(cache.Count, 1, FilterCache.CountMax);
    }

    internal static bool Matches(string expression, string properties)
    {
        Assert.True(SqlFilter.TryParse(expression, out var filter, out var violation), violation.Detail);
        var map = properties.Split(';', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2))
            .Select(pair => KeyValuePair.Create(pair[0], pair[1]));
        return Matches(filter!, [.. map]);
    }

    internal static bool Matches(SqlFilter filter, IReadOnlyList<KeyValuePair<string, string>> properties)
    {
        var draft = new MessageDraft
        {
            Body = new byte[1],
            MessageId = "id-1",
            Tag = "A",
            Keys = ["k1", "k2"],
            UserProperties = properties,
        };
        var map = new byte[PropertyWriter.Measure(draft)];
        PropertyWriter.Write(map, draft);
        return filter.Matches(new SqlMessage(map, "id-1"u8));
    }
}
