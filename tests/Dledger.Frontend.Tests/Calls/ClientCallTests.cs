using Dledger.Frontend.Calls;
using Dledger.Primitives;
using Grpc.Core;

namespace Dledger.Frontend.Tests.Calls;

public sealed class ClientCallTests
{
    [Fact]
    public void A_deadline_of_sixty_years_is_no_deadline()
    {
        var now = DateTime.UtcNow;

        Assert.Null(Call(deadline: now.AddMinutes(31_535_999)).Remaining);
        Assert.Null(Call(deadline: DateTime.MaxValue).Remaining);
        Assert.InRange(Call(deadline: now.AddSeconds(30)).Remaining!.Value.TotalSeconds, 1, 30);
        Assert.Equal(TimeSpan.Zero, Call(deadline: now.AddSeconds(-5)).Remaining);
    }

    [Theory]
    [InlineData("host@1@0@abc", true)]
    [InlineData("", false)]
    [InlineData("  ", false)]
    public void A_client_must_name_itself(string clientId, bool expected) =>
        Assert.Equal(expected, Call(new Metadata.Entry(ClientHeaders.ClientId, clientId)).HasClientId);

    [Fact]
    public void A_client_id_may_have_256_characters_and_not_one_more()
    {
        Assert.True(Call(new Metadata.Entry(ClientHeaders.ClientId, new string('c', 256))).HasClientId);
        Assert.False(Call(new Metadata.Entry(ClientHeaders.ClientId, new string('c', 257))).HasClientId);
    }

    [Fact]
    public void A_forwarded_call_names_the_node_that_passed_it_on()
    {
        Assert.Equal(new NodeId(3), Call(new Metadata.Entry(ClientHeaders.Forwarded, "3")).ForwardedBy);
        Assert.Equal(NodeId.None, Call(new Metadata.Entry(ClientHeaders.Forwarded, "x")).ForwardedBy);
        Assert.Null(Call().ForwardedBy);
    }

    private static ClientCall Call(params Metadata.Entry[] headers) =>
        new StubCallContext(headers).AsCall();

    private static ClientCall Call(DateTime deadline) => new StubCallContext([], deadline).AsCall();
}
