using System.Diagnostics;
using System.Globalization;
using System.Text;
using Dledger.Broker.Filtering;
using Dledger.Broker.Naming;
using FsCheck;
using FsCheck.Fluent;

namespace Dledger.Broker.Tests.Filtering;

/// <summary>Compiled expressions against a slow, obvious twin, and text of all kinds against the compiler.</summary>
public sealed class SqlPropertyTests
{
    private static readonly string[] Names = ["a", "b", "c"];
    private static readonly string[] Texts = ["", "x", "ab", "it's", "5", "7.5", "-3", "true", "3000000000", "1e2", "ä"];

    private static readonly string[] Soup =
    [
        "a", "b", "TAGS", "'x'", "''", "'", "5", "007", "5.5", "1e", "9223372036854775808", "(", ")", ",", "=", "<>", "<", "<=", ">", ">=",
        "!=", "+", "-", "--", "/*", "*/", "\n", "AND", "OR", "NOT", "IS", "NULL", "TRUE", "FALSE", "BETWEEN", "IN", "CONTAINS", "STARTSWITH",
        "ENDSWITH", "LIKE", ".", "$", "\u0001", "ä", "\ud800",
    ];

    [Fact]
    public void A_compiled_expression_agrees_with_its_twin_on_every_message()
    {
        Prop.ForAll(
            Arb.From(Gen.Zip(Condition(4), Properties())),
            generated =>
            {
                var (twin, properties) = generated;
                Assert.True(SqlFilter.TryParse(twin.ToString(), out var filter, out var violation), $"{twin}: {violation.Detail}");
                Assert.Equal(twin.Matches(properties), SqlFilterTests.Matches(filter!, [.. properties]));
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(3_000));
    }

    /// <summary>Bounded here; `make fuzz-sql` runs it as long as one likes, with DLEDGER_FUZZ_SECONDS.</summary>
    [Fact]
    public void No_text_makes_the_compiler_do_anything_but_compile_or_refuse()
    {
        var seconds = Environment.GetEnvironmentVariable("DLEDGER_FUZZ_SECONDS") is { } text
            ? double.Parse(text, CultureInfo.InvariantCulture)
            : 1;
        var seed = seconds > 1 ? Environment.TickCount : 1;
        var random = new Random(seed);
        var compiled = 0;
        var started = Stopwatch.StartNew();
        for (var i = 0; i < 5_000 || started.Elapsed.TotalSeconds < seconds; i++)
        {
            var expression = Text(random);
            try
            {
                if (SqlFilter.TryParse(expression, out var filter, out var violation))
                {
                    compiled++;
                    _ = SqlFilterTests.Matches(filter!, [KeyValuePair.Create("a", Texts[random.Next(Texts.Length)])]);
                }
                else
                {
                    Assert.Equal(BrokenRule.FilterExpression, violation.Rule);
                    Assert.DoesNotContain(violation.Detail, char.IsControl);
                }
            }
            catch (Exception fault)
            {
                Assert.Fail($"seed {seed}, round {i}: {fault.GetType().Name} on {Convert.ToHexString(Encoding.Unicode.GetBytes(expression))}");
            }
        }

        Assert.True(compiled > 50, $"only {compiled} expressions were right: the generator looks at refusals alone");
    }

    private static string Text(Random random)
    {
        var length = random.Next(1, random.Next(8) == 0 ? 2_000 : 12);
        return random.Next(3) switch
        {
            0 => Encoding.UTF8.GetString(RandomBytes(random, length)),
            1 => string.Join(random.Next(2) == 0 ? " " : "", Enumerable.Range(0, length).Select(_ => Soup[random.Next(Soup.Length)])),
            _ => Mutated(random),
        };
    }

    // A right expression with a few pieces put in, taken out or doubled.
    private static string Mutated(Random random)
    {
        var pieces = "a > 5 AND ( b = 'x' OR NOT ( c BETWEEN 1 AND 3 ) ) AND d IN ( 'x' , 'y' ) AND e CONTAINS 'z'".Split(' ').ToList();
        for (var changes = random.Next(4); changes > 0; changes--)
        {
            var at = random.Next(pieces.Count);
            switch (random.Next(3))
            {
                case 0:
                    pieces.RemoveAt(at);
                    break;
                case 1:
                    pieces.Insert(at, pieces[random.Next(pieces.Count)]);
                    break;
                default:
                    pieces[at] = Soup[random.Next(Soup.Length)];
                    break;
            }
        }

        return string.Join(' ', pieces);
    }

    private static byte[] RandomBytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private static Gen<Dictionary<string, string>> Properties() =>
        from values in Gen.ArrayOf(Gen.Elements(Texts), Names.Length)
        from present in Gen.ArrayOf(Gen.Elements(true, true, false), Names.Length)
        select Enumerable.Range(0, Names.Length)
            .Where(i => present[i])
            .ToDictionary(i => Names[i], i => values[i], StringComparer.Ordinal);

    private static Gen<SqlTwin> Condition(int depth)
    {
        var leaves = Gen.OneOf(
            from left in Value()
            from operation in Gen.Elements("=", "<>")
            from right in Value()
            select (SqlTwin)new SqlTwin.Compare(left, operation, right),
            from left in Number()
            from operation in Gen.Elements("<", "<=", ">", ">=")
            from right in Number()
            select (SqlTwin)new SqlTwin.Compare(left, operation, right),
            from value in Number()
            from low in Gen.Choose(-3, 5)
            from high in Gen.Choose(5, 9)
            from isNegated in Flag()
            select (SqlTwin)new SqlTwin.Between(value, Signed(low), Signed(high), isNegated),
            from name in Gen.Elements(Names)
            from texts in Gen.NonEmptyListOf(Gen.Elements(Texts))
            from isNegated in Flag()
            select (SqlTwin)new SqlTwin.In(name, [.. texts], isNegated),
            from name in Gen.Elements(Names)
            from word in Gen.Elements("CONTAINS", "STARTSWITH", "ENDSWITH")
            from wanted in Gen.Elements(Texts)
            from isNegated in Flag()
            select (SqlTwin)new SqlTwin.Search(name, word, wanted, isNegated),
            from value in Value() from isNegated in Flag() select (SqlTwin)new SqlTwin.IsNull(value, isNegated),
            from name in Gen.Elements(Names) select (SqlTwin)new SqlTwin.Bare(name),
            from value in Flag() select (SqlTwin)new SqlTwin.Truth(value));
        return depth == 0
            ? leaves
            : Gen.OneOf(
                leaves,
                from operand in Condition(depth - 1) select (SqlTwin)new SqlTwin.Not(operand),
                from operand in Condition(depth - 1)
                from isNegated in Flag()
                select (SqlTwin)(operand is SqlTwin.Bare ? operand : new SqlTwin.IsNull(operand, isNegated)),
                from left in Condition(depth - 1) from right in Condition(depth - 1) select (SqlTwin)new SqlTwin.And(left, right),
                from left in Condition(depth - 1) from right in Condition(depth - 1) select (SqlTwin)new SqlTwin.Or(left, right));
    }

    private static Gen<bool> Flag() => Gen.Elements(true, false);

    private static Gen<SqlTwin> Value() => Gen.OneOf(
        Number(), from text in Gen.Elements(Texts) select (SqlTwin)new SqlTwin.Literal(text));

    private static Gen<SqlTwin> Number() => Gen.OneOf(
        from name in Gen.Elements(Names) select (SqlTwin)new SqlTwin.Property(name),
        from value in Gen.Choose(0, 9) select (SqlTwin)new SqlTwin.Literal(value),
        from value in Gen.Elements(3_000_000_000, 5_000_000_000) select (SqlTwin)new SqlTwin.Literal(value),
        from value in Gen.Elements(0.0, 5.0, 7.5, 100.0) select (SqlTwin)new SqlTwin.Literal(value));

    private static SqlTwin.Literal Signed(int value) => new(value);
}
