using Apache.Rocketmq.V2;
using Dledger.Frontend.Calls;
using Grpc.Core;

namespace Dledger.Frontend.Tests.Calls;

public sealed class ResourceNamesTests
{
    [Theory]
    [InlineData("", "orders", "", "orders")]
    [InlineData("shop", "orders", "", "shop%orders")]
    [InlineData("", "orders", "shop", "shop%orders")]
    [InlineData("shop", "orders", "ignored", "shop%orders")]
    [InlineData("shop", "%DLQ%billing", "", "%DLQ%shop%billing")]
    [InlineData("shop", "%RETRY%billing", "", "%RETRY%shop%billing")]
    [InlineData("shop", "", "", "")]
    public void A_namespace_is_part_of_the_brokers_name(string own, string name, string fromHeader, string expected)
    {
        var call = Call(fromHeader);

        Assert.Equal(expected, ResourceNames.Of(new Resource { ResourceNamespace = own, Name = name }, call));
    }

    [Fact]
    public void A_resource_that_is_absent_has_an_empty_name() =>
        Assert.Equal("", ResourceNames.Of(null, Call("shop")));

    [Theory]
    [InlineData("shop%orders", "shop", "orders")]
    [InlineData("%DLQ%shop%billing", "shop", "%DLQ%billing")]
    [InlineData("other%orders", "shop", "other%orders")]
    [InlineData("shopping%orders", "shop", "shopping%orders")]
    [InlineData("orders", "", "orders")]
    public void A_client_sees_names_without_its_own_namespace(string name, string own, string expected) =>
        Assert.Equal(expected, ResourceNames.WithoutNamespace(name, own));

    private static ClientCall Call(string fromHeader) =>
        new StubCallContext([new Metadata.Entry(ClientHeaders.Namespace, fromHeader)]).AsCall();
}
