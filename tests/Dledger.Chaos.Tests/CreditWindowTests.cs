using Dledger.Chaos.Workers;

namespace Dledger.Chaos.Tests;

/// <summary>Streams deliver ahead; how far, the checker must not be wrong about.</summary>
public sealed class CreditWindowTests
{
    private const long CreditBytes = 100;

    [Fact]
    public void What_the_first_credit_covers_may_have_been_leased_since_the_begin()
    {
        var window = new CreditWindow(CreditBytes, begin: 5);

        Assert.Equal([5, 5, 5], new long[] { 10, 20, 30 }.Select(time => window.Take(time, 30)));
    }

    [Fact]
    public void What_lies_a_credit_behind_was_leased_after_that_was_taken()
    {
        var window = new CreditWindow(CreditBytes, begin: 5);
        window.Take(10, 60);
        window.Take(20, 60);

        // Before the third there were 120 bytes: its credit came when the first was taken, at the earliest.
        Assert.Equal(10, window.Take(30, 60));
        Assert.Equal(20, window.Take(40, 60));
    }

    [Fact]
    public void A_delivery_as_large_as_the_credit_is_the_only_one_ahead()
    {
        var window = new CreditWindow(CreditBytes, begin: 5);
        window.Take(10, 250);

        Assert.Equal(10, window.Take(20, 1));
    }
}
