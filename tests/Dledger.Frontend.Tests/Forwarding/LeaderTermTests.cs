using Dledger.Frontend.Forwarding;
using Dledger.Primitives;

namespace Dledger.Frontend.Tests.Forwarding;

public sealed class LeaderTermTests : IDisposable
{
    private readonly CancellationTokenSource _caller = new();
    private TaskCompletionSource _moved = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NodeId _leader = new(1);
    private Func<CancellationToken, Task> _grace = _ => Task.CompletedTask;

    [Fact]
    public async Task It_ends_when_another_node_leads()
    {
        using var term = Follow();
        Assert.False(term.Token.IsCancellationRequested);

        Move(new NodeId(2));

        await WaitAsync(term.Token);
        Assert.True(term.HasEnded);
    }

    [Fact]
    public async Task It_goes_on_while_nobody_else_leads()
    {
        using var term = Follow();

        Move(NodeId.None);
        Move(new NodeId(1));
        Move(NodeId.None);
        Assert.False(term.HasEnded);

        Move(new NodeId(3));
        await WaitAsync(term.Token);
        Assert.True(term.HasEnded);
    }

    [Fact]
    public async Task A_leader_that_was_followed_already_ends_it_at_once()
    {
        _leader = new NodeId(2);

        using var term = Follow();

        await WaitAsync(term.Token);
        Assert.True(term.HasEnded);
    }

    [Fact]
    public async Task A_leader_that_was_followed_has_a_moment_to_answer()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var grace = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _grace = _ =>
        {
            asked.SetResult();
            return grace.Task;
        };
        using var term = Follow();

        Move(new NodeId(2));
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(term.HasEnded);
        Assert.False(term.Token.IsCancellationRequested);

        grace.SetResult();
        await WaitAsync(term.Token);
        Assert.True(term.HasEnded);
    }

    [Fact]
    public async Task A_caller_that_goes_away_is_no_new_leader()
    {
        using var term = Follow();

        await _caller.CancelAsync();

        await WaitAsync(term.Token);
        Assert.False(term.HasEnded);
    }

    public void Dispose() => _caller.Dispose();

    private static async Task WaitAsync(CancellationToken token)
    {
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = token.Register(() => cancelled.TrySetResult());
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
    }

    private LeaderTerm Follow() => new(() => _leader, () => Volatile.Read(ref _moved).Task, _grace, new NodeId(1), _caller.Token);

    private void Move(NodeId leader)
    {
        _leader = leader;
        Interlocked.Exchange(
            ref _moved, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }
}
