namespace Dledger.Primitives.Tests;

public sealed class InvariantTests
{
    [Fact]
    public void A_broken_invariant_stops_with_the_state_in_its_message()
    {
        var value = 7;

        var violation = Assert.Throws<InvariantViolationException>(
            () => Invariant.Check(value < 5, $"value is {value}"));

        Assert.Equal("value is 7", violation.Message);
        Assert.Throws<InvariantViolationException>(() => Invariant.Fail("no way"));
    }

    [Fact]
    public void A_message_is_not_formatted_while_the_invariant_holds()
    {
        var formattedCount = 0;

        Invariant.Check(true, $"never {Count()}");

        Assert.Equal(0, formattedCount);

        int Count() => ++formattedCount;
    }
}
