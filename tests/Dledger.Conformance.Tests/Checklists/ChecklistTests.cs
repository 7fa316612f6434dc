namespace Dledger.Conformance.Tests.Checklists;

public sealed class ChecklistTests
{
    private static readonly string[] Numbers =
        [.. Enumerable.Range(1, 68).Select(number => $"{number}"), "8a", "8b", "8c", "8d", "8e", "27a"];

    [Fact]
    public void The_checklist_has_every_number_once() =>
        Assert.Equal(Numbers.Order(), Checklist.Items.Select(item => item.Number).Order());

    [Fact]
    public void Every_item_has_tests_or_a_reason_and_never_both() =>
        Assert.Equal(Numbers.Order(), Checklist.Tested.Concat(Checklist.Untested.Keys).Order());

    [Theory]
    [InlineData("Item_08a_an_authority", "8a")]
    [InlineData("Item_30_a_delayed_message", "30")]
    [InlineData("Dledger.Conformance.Tests.Items.RouteItems.Item_09_a_route(topic: \"a b\")", "9")]
    [InlineData("Every_item_has_tests", null)]
    public void The_number_of_an_item_is_read_from_the_name_of_its_test(string test, string? expected) =>
        Assert.Equal(expected, Checklist.NumberOf(test));
}
