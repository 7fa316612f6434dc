using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Tests.Calls;
using Dledger.Primitives;

namespace Dledger.Frontend.Tests.Forwarding;

public sealed class CallLimitTests
{
    private static readonly FrontendOptions Options = new()
    {
        Self = new NodeId(1),
        Nodes = [],
        CallTimeMax = TimeSpan.FromHours(1),
    };

    [Fact]
    public void A_caller_that_has_gone_ends_its_call_and_no_later_one()
    {
        using var caller = new CancellationTokenSource();
        var ended = LimitOf(caller.Token);

        caller.Cancel();

        Assert.True(ended.Token.IsCancellationRequested);
        ended.Dispose();
        for (var i = 0; i < 20; i++)
        {
            using var next = LimitOf(CancellationToken.None);
            Assert.False(next.Token.IsCancellationRequested);
        }
    }

    [Fact]
    public void A_caller_that_goes_after_its_call_ended_does_not_end_the_call_that_uses_the_limit_now()
    {
        using var caller = new CancellationTokenSource();
        LimitOf(caller.Token).Dispose();
        using var next = LimitOf(CancellationToken.None);

        caller.Cancel();

        Assert.False(next.Token.IsCancellationRequested);
    }

    [Fact]
    public async Task A_call_whose_time_is_over_ends()
    {
        var call = new StubCallContext([], DateTime.UtcNow).AsCall();
        using var limit = CallLimit.Of(Patience.Of(call, Options, TimeProvider.System), CancellationToken.None);

        await Assert.ThrowsAsync<TaskCanceledException>(
            () => new TaskCompletionSource().Task.WaitAsync(TimeSpan.FromSeconds(30), limit.Token));
    }

    private static CallLimit LimitOf(CancellationToken caller) =>
        CallLimit.Of(Patience.Of(new StubCallContext([]).AsCall(), Options, TimeProvider.System), caller);
}
