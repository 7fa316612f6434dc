using Dledger.Chaos.Checking;
using Dledger.Chaos.Histories;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Tests;

/// <summary>After its first error a node must not acknowledge what it is asked for then.</summary>
public sealed class LateAckTests
{
    private const int Node = 2;
    private const long Error = 100;

    [Fact]
    public void An_attempt_that_began_after_the_error_and_was_acked_by_the_node_is_late() =>
        Assert.Equal(["a.1"], Late(Invoke(101), Try(110, "ok", Node)));

    [Fact]
    public void An_attempt_that_began_before_the_error_is_not() => Assert.Empty(Late(Invoke(99), Try(110, "ok", Node)));

    [Fact]
    public void An_ack_of_another_node_is_not() => Assert.Empty(Late(Invoke(101), Try(110, "ok", node: 1)));

    [Fact]
    public void A_second_attempt_begins_when_the_first_has_ended() =>
        Assert.Equal(["a.1"], Late(Invoke(90), Try(105, "info", node: 1), Try(110, "ok", Node)));

    [Fact]
    public void The_time_of_a_traced_call_is_read_to_the_microsecond()
    {
        var time = Tracer.TimeOf("4711  1763757600.123456 fdatasync(37) = -1 EIO (Input/output error) (INJECTED)");

        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1763757600).AddMicroseconds(123456), time, TimeSpan.FromMicroseconds(1));
    }

    private static IReadOnlyList<string> Late(params HistoryEntry[] entries) => LateAcks.After(entries, Node, Error);

    private static HistoryEntry Invoke(long time) =>
        new() { Function = "send", Phase = "invoke", Worker = "a", Id = "a.1", Time = time };

    private static HistoryEntry Try(long time, string phase, int node) =>
        new() { Function = "try", Phase = phase, Worker = "a", Id = "a.1", Time = time, Node = node };
}
