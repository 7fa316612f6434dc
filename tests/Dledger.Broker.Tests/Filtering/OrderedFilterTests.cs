using Dledger.Broker.Filtering;
using Dledger.Broker.Groups;
using Dledger.Broker.Messages;
using Dledger.Broker.Receiving;
using Dledger.Broker.Tests.Simulation;

namespace Dledger.Broker.Tests.Filtering;

/// <summary>Filters that need the records, in groups that keep the order of message groups and have limits.</summary>
public sealed class OrderedFilterTests
{
    private readonly TestBroker _broker = new();

    [Fact]
    public async Task Message_groups_do_not_wait_for_each_other_and_each_keeps_its_order()
    {
        await Prepare();
        await Send("a1", "x", "a");
        await Send("b1", "y", "b");
        await Send("a2", "x", "a");
        await Send("b2", "x", "b");
        await Send("c1", "x", "c");

        var first = await Take("one", "SQL TAGS = 'x'", batch: 1);
        var others = await Take("one", "SQL TAGS = 'x'");
        Assert.Equal(["a1"], first.Select(TestBroker.Text));
        Assert.Equal(["b2", "c1"], others.Select(TestBroker.Text));
        Assert.Empty(await Take("one", "SQL TAGS = 'x'"));

        Assert.Null(await _broker.Ack("g", "t", first[0]));
        Assert.Equal(["a2"], (await Take("one", "SQL TAGS = 'x'")).Select(TestBroker.Text));
        Assert.Equal(_broker.StateHash, _broker.ReplayedStateHash());
    }

    [Fact]
    public async Task What_follows_a_message_that_is_left_to_another_client_waits_for_it()
    {
        await Prepare();
        Assert.Empty(await Take("one", "SQL TAGS = 'x'"));
        Assert.Empty(await Take("two", "SQL TAGS = 'y'"));
        await Send("a1", "y", "a");
        await Send("a2", "x", "a");
        await Send("b1", "x", "b");

        Assert.Equal(["b1"], (await Take("one", "SQL TAGS = 'x'")).Select(TestBroker.Text));
        Assert.Empty(await Take("one", "SQL TAGS = 'x'"));
        var before = Assert.Single(await Take("two", "SQL TAGS = 'y'"));
        Assert.Equal("a1", TestBroker.Text(before));
        Assert.Empty(await Take("one", "SQL TAGS = 'x'"));

        Assert.Null(await _broker.Ack("g", "t", before));
        Assert.Equal(["a2"], (await Take("one", "SQL TAGS = 'x'")).Select(TestBroker.Text));
        Assert.Equal(_broker.StateHash, _broker.ReplayedStateHash());
    }

    [Fact]
    public async Task Many_messages_behind_a_locked_message_group_do_not_hide_a_free_one()
    {
        await Prepare();
        for (var i = 0; i < 600; i++)
        {
            await Send($"a{i}", "x", "a");
        }

        await Send("b0", "x", "b");
        Assert.Equal("a0", TestBroker.Text(Assert.Single(await Take("one", "SQL TAGS = 'x'", batch: 1))));

        Assert.Equal(["b0"], (await Take("one", "SQL TAGS = 'x'")).Select(TestBroker.Text));
    }

    [Fact]
    public async Task Two_polls_at_once_share_the_message_groups_that_come()
    {
        await Prepare();
        var polls = Enumerable.Range(0, 2).Select(_ => _broker.Poll("g", "t", filter: "SQL TAGS = 'x'")).ToList();

        await Send("a1", "x", "a");
        await Send("a2", "x", "a");
        await Send("b1", "x", "b");

        var outcomes = await Task.WhenAll(polls);
        Assert.Equal(["a1", "b1"], outcomes.SelectMany(outcome => outcome.Messages).Select(TestBroker.Text).Order());
    }

    [Fact]
    public async Task A_batch_ends_where_the_limits_of_the_group_say_so()
    {
        await Prepare(new GroupSettings { MaxInFlightPerClient = 2 });
        for (var i = 0; i < 5; i++)
        {
            await Send($"{i}", "x", $"group{i}");
        }

        var messages = await Take("one", "SQL TAGS = 'x'");
        Assert.Equal(["0", "1"], messages.Select(TestBroker.Text));
        var held = await _broker.Run(node => node.ReceiveAsync(Request("one", "SQL TAGS = 'x'"), CancellationToken.None));
        Assert.Equal(BrokerError.Busy, held.Failure?.Error);
        Assert.Equal(["2", "3"], (await Take("two", "SQL TAGS = 'x'")).Select(TestBroker.Text));

        Assert.Null(await _broker.Ack("g", "t", messages[0]));
        Assert.Equal(["4"], (await Take("one", "SQL TAGS = 'x'")).Select(TestBroker.Text));
    }

    [Fact]
    public async Task A_poll_that_a_scan_without_matches_held_back_is_served()
    {
        await Prepare(new GroupSettings { MaxInFlight = 1 });
        var nothing = _broker.Start(node => node.ReceiveAsync(
            Request("one", "SQL TAGS = 'z'") with { LongPoll = TimeSpan.FromSeconds(5) }, CancellationToken.None));
        var waiting = _broker.Start(node => node.ReceiveAsync(
            Request("two", "SQL TAGS = 'x'") with { LongPoll = TimeSpan.FromSeconds(5) }, CancellationToken.None));

        await Send("m", "x", "a");

        Assert.Equal("m", TestBroker.Text(Assert.Single((await waiting).Messages)));
        _broker.Advance(TimeSpan.FromSeconds(6));
        Assert.Empty((await nothing).Messages);
    }

    [Fact]
    public async Task An_exclusive_group_serves_its_holder_only()
    {
        await Prepare(new GroupSettings { Exclusive = true });
        await Send("a1", "x", "a");
        await Send("b1", "x", "b");

        Assert.Single(await Take("one", "SQL TAGS = 'x'", batch: 1));

        Assert.Empty(await Take("two", "SQL TAGS = 'x'"));
        Assert.Equal(["b1"], (await Take("one", "SQL TAGS = 'x'")).Select(TestBroker.Text));
    }

    [Fact]
    public async Task What_is_finished_while_a_receive_looks_at_it_is_left_out()
    {
        await Prepare();
        await Send("a1", "x", "a");
        await Send("b1", "x", "b");
        Assert.Equal(2, (await Take("one", "SQL TAGS = 'x'")).Count);
        _broker.Advance(TimeSpan.FromSeconds(31));

        var outcome = await _broker.Run(async node =>
        {
            var update = node.UpdateOffsetAsync("g", "t", 0, 1, CancellationToken.None);

            // They take as long as the two looks with which the update begins: its record is applied behind the choice of the receive.
            await node.GetOffsetAsync("g", "t", 0, CancellationToken.None);
            await node.GetOffsetAsync("g", "t", 0, CancellationToken.None);
            var received = await node.ReceiveAsync(Request("one", "SQL TAGS = 'x'"), CancellationToken.None);
            Assert.Null(await update);
            return received;
        });

        Assert.Equal(["b1"], outcome.Messages.Select(TestBroker.Text));
        Assert.Equal(_broker.StateHash, _broker.ReplayedStateHash());
    }

    private async Task Prepare(GroupSettings? settings = null)
    {
        await _broker.CreateTopic("t", types: MessageTypeSet.Of([MessageType.Normal, MessageType.Fifo]));
        await _broker.CreateGroup(new GroupSpec { Name = "g", Fifo = true, Settings = settings ?? GroupSettings.Default });
        _broker.Advance(ClientRegistry.AliveFor + TimeSpan.FromSeconds(1));
    }

    private async Task Send(string body, string tag, string messageGroup)
    {
        var outcome = await _broker.Run(node => node.AppendAsync(
            "t", [TestBroker.Draft(body, tag, messageGroup)], CancellationToken.None));
        Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
    }

    private async Task<IReadOnlyList<DeliveredMessage>> Take(string client, string filter, int batch = 32)
    {
        var outcome = await _broker.Run(node => node.ReceiveAsync(
            Request(client, filter) with { BatchSize = batch }, CancellationToken.None));
        Assert.True(outcome.Succeeded, outcome.Failure?.ToString());
        return outcome.Messages;
    }

    private static ReceiveRequest Request(string client, string filter) => new()
    {
        Group = "g",
        Topic = "t",
        BatchSize = 32,
        InvisibleDuration = TimeSpan.FromSeconds(30),
        ClientId = client,
        Filter = Parse(filter),
    };

    private static MessageFilter Parse(string filter)
    {
        Assert.True(MessageFilter.TryParseSql(filter["SQL ".Length..], out var parsed, out var violation), violation.Detail);
        return parsed;
    }
}
