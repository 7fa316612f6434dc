namespace Dledger.Primitives.Tests;

public sealed class EpochTableTests
{
    private static readonly Epoch Virtual = new(Term.Zero, LogPosition.Zero);

    [Fact]
    public void The_term_at_and_before_a_position_follows_the_epochs()
    {
        var table = Table((1, 0), (2, 400), (4, 900));

        Assert.Equal(Term.Zero, table.TermBefore(new LogPosition(0)));
        Assert.Equal(new Term(1), table.TermBefore(new LogPosition(400)));
        Assert.Equal(new Term(2), table.TermBefore(new LogPosition(401)));
        Assert.Equal(new Term(1), table.TermAt(new LogPosition(0)));
        Assert.Equal(new Term(2), table.TermAt(new LogPosition(400)));
        Assert.Equal(new Term(4), table.TermAt(new LogPosition(5000)));
        Assert.Equal(new LogPosition(900), table.FindStart(new Term(4)));
        Assert.Null(table.FindStart(new Term(3)));
    }

    [Fact]
    public void A_truncation_forgets_the_terms_that_begin_at_or_behind_it()
    {
        var table = Table((1, 0), (2, 400), (4, 900));

        table.TruncateTo(new LogPosition(900));
        Assert.Equal(new Term(2), table.Last.Term);
        table.TruncateTo(new LogPosition(1));
        Assert.Equal(new Term(1), table.Last.Term);
        table.TruncateTo(new LogPosition(0));
        Assert.Equal(Virtual, Assert.Single(table.Epochs));
    }

    [Fact]
    public void Terms_and_starts_must_increase()
    {
        var table = Table((1, 0), (2, 400));

        Assert.Throws<InvariantViolationException>(() => table.Append(new Epoch(new Term(2), new LogPosition(500))));
        Assert.Throws<InvariantViolationException>(() => table.Append(new Epoch(new Term(3), new LogPosition(400))));
        Assert.Throws<InvariantViolationException>(() => new EpochTable([]));
    }

    /// <summary>The leader and the followers A to D that the design works through.</summary>
    [Theory]
    [InlineData(820, 700, 1, 0, 2, 400, 3, 700)]
    [InlineData(640, 640, 1, 0, 2, 400)]
    [InlineData(512, 400, 1, 0)]
    [InlineData(0, 0)]
    public void The_longest_common_prefix_follows_from_two_tables(long end, long match, params int[] epochs)
    {
        var leader = Table((1, 0), (2, 400), (4, 900));
        var follower = Table([.. epochs.Chunk(2).Select(pair => (pair[0], pair[1]))]);

        Assert.Equal(
            new LogPosition(match),
            EpochTable.FindMatch(leader.Epochs, new LogPosition(1300), follower.Epochs, new LogPosition(end)));
        Assert.Equal(
            new LogPosition(match),
            EpochTable.FindMatch(follower.Epochs, new LogPosition(end), leader.Epochs, new LogPosition(1300)));
    }

    [Fact]
    public void Tables_without_a_common_term_have_no_match()
    {
        var left = new EpochTable(new LogPosition(1000), new Term(7));
        var right = Table((1, 0), (2, 400));

        Assert.Null(EpochTable.FindMatch(left.Epochs, new LogPosition(2000), right.Epochs, new LogPosition(900)));
    }

    private static EpochTable Table(params (int Term, int Start)[] epochs) =>
        new([Virtual, .. epochs.Select(epoch => new Epoch(new Term(epoch.Term), new LogPosition(epoch.Start)))]);
}
