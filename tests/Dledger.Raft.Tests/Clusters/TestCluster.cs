using Dledger.Primitives;
using Dledger.Raft.Effects;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Raft.Quorums;

namespace Dledger.Raft.Tests.Clusters;

/// <summary>A group of cores in the test's hand: time, messages and disks move only when the test says so.</summary>
internal sealed class TestCluster
{
    /// <summary>Length of every frame unless a test says otherwise.</summary>
    public const int FrameLength = 100 * 8;

    private readonly List<(TestNode From, TestNode To, PeerMessage Message)> _inFlight = [];
    private readonly Dictionary<long, (TestNode Opener, TestNode Acceptor)> _sessions = [];
    private readonly HashSet<(TestNode From, TestNode To)> _blocked = [];
    private readonly List<string> _notes = [];
    private readonly Func<RaftOptions, RaftOptions> _configure;
    private long _session;

    /// <summary>Nodes 1 to n; of them the first ones are the voters that the cluster was founded with, all unless said.</summary>
    public TestCluster(int nodeCount, Func<RaftOptions, RaftOptions>? configure = null, int? founderCount = null)
    {
        _configure = configure ?? (options => options);
        for (var number = 1; number <= nodeCount; number++)
        {
            Nodes.Add(new TestNode(this, new NodeId(number)));
        }

        Founders = new Configuration(Nodes.Take(founderCount ?? nodeCount).Select(node => node.Member));
    }

    public List<TestNode> Nodes { get; } = [];

    /// <summary>The cluster's first configuration.</summary>
    public Configuration Founders { get; }

    /// <summary>Microseconds.</summary>
    public long Now { get; private set; } = 1_000_000;

    /// <summary>Everything sent so far.</summary>
    public List<(NodeId From, NodeId To, PeerMessage Message)> Sent { get; } = [];

    /// <summary>All effects so far.</summary>
    public List<(NodeId Node, RaftEffect Effect)> Effects { get; } = [];

    /// <summary>Whether effects are noted for <see cref="TakeNotes"/>.</summary>
    public bool IsTracing { get; set; }

    public TestNode this[int number] => Nodes[number - 1];

    public RaftCore Core(int number) => this[number].Core!;

    /// <summary>Boots all nodes and connects them.</summary>
    public TestCluster Boot(params int[] passive)
    {
        foreach (var node in Nodes)
        {
            node.Boot(_configure, passive.Contains(node.Id.Value));
        }

        ConnectAll();
        return this;
    }

    public void Restart(int number)
    {
        this[number].Boot(_configure, isPassive: false);
        ConnectAll();
    }

    /// <summary>Ends a process; unless it is silent, the kernels tell its peers.</summary>
    public void Kill(int number, bool isSilent = false)
    {
        var node = this[number];
        node.Stop();
        _inFlight.RemoveAll(flight => flight.To == node || flight.From == node);
        foreach (var (session, (opener, acceptor)) in _sessions.ToArray())
        {
            if (opener != node && acceptor != node)
            {
                continue;
            }

            _sessions.Remove(session);
            var reason = isSilent ? SessionCloseReason.Timeout : SessionCloseReason.PeerReset;
            if (opener == node)
            {
                acceptor.Call((core, now) => core.InboundSessionClosed(now, node.Id, session, reason));
            }
            else
            {
                opener.Call((core, now) => core.SessionClosed(now, node.Id, session, reason));
            }
        }
    }

    /// <summary>Messages between the two sets are lost from now on.</summary>
    public void Partition(int[] left, int[] right)
    {
        foreach (var one in left)
        {
            foreach (var other in right)
            {
                _blocked.Add((this[one], this[other]));
                _blocked.Add((this[other], this[one]));
            }
        }
    }

    /// <summary>Messages in one direction are lost from now on.</summary>
    public void Block(int from, int to) => _blocked.Add((this[from], this[to]));

    /// <summary>Ends all partitions; all connections are opened anew.</summary>
    public void Heal()
    {
        _blocked.Clear();
        _sessions.Clear();
        ConnectAll();
    }

    /// <summary>Moves time to a node's next deadline and ticks this node alone.</summary>
    public void TickAtDeadline(int number)
    {
        var node = this[number];
        Now = Math.Max(Now, node.Core!.NextDeadline);
        node.Call((core, now) => core.Tick(now));
    }

    /// <summary>Moves time in steps of at most a millisecond; timers and messages run as they come.</summary>
    public void Run(long microseconds)
    {
        for (var end = Now + microseconds; Now < end;)
        {
            Now = Math.Min(end, Now + 1_000);
            foreach (var node in Nodes)
            {
                if (node.Core is { } core && Now >= core.NextDeadline)
                {
                    node.Call((running, now) => running.Tick(now));
                }
            }

            DeliverAll();
        }
    }

    /// <summary>Moves time without letting any node run.</summary>
    public void Sleep(long microseconds) => Now += microseconds;

    /// <summary>Makes a node campaign at its own deadline and delivers everything.</summary>
    public void Elect(int number)
    {
        TickAtDeadline(number);
        DeliverAll();
    }

    /// <summary>Delivers everything, then lets commit notices go out and delivers those.</summary>
    public void Settle()
    {
        DeliverAll();
        Run(2_000);
    }

    public void Propose(int number, int count = 1, int length = FrameLength)
    {
        for (var i = 0; i < count; i++)
        {
            Assert.True(Core(number).CanPropose, $"node {number} takes proposals");
            this[number].CutFrame(FrameFlags.None, length);
        }
    }

    /// <summary>Delivers messages and finishes disk work, unless held, until nothing is left.</summary>
    public void DeliverAll()
    {
        for (var steps = 0; DeliverOne(_ => true) || FinishDisks() || StepDeferred(); steps++)
        {
            Assert.True(steps < 100_000, "the cluster comes to rest");
        }
    }

    /// <summary>Delivers the messages from one node to another that are in flight, with no disk work.</summary>
    public void Deliver(int from, int to)
    {
        for (var count = _inFlight.Count(flight => flight.From == this[from] && flight.To == this[to]); count > 0; count--)
        {
            DeliverOne(flight => flight.From == this[from] && flight.To == this[to]);
        }
    }

    /// <summary>Loses the messages from one node to another that are in flight.</summary>
    public int Drop(int from, int to) => _inFlight.RemoveAll(flight => flight.From == this[from] && flight.To == this[to]);

    /// <summary>Finishes disk work that is not held.</summary>
    public bool FinishDisks()
    {
        var isAny = false;
        foreach (var node in Nodes)
        {
            isAny |= (!node.HoldsMeta && node.FinishMeta()) || (!node.HoldsSync && node.FinishSync());
        }

        return isAny;
    }

    public void Send(TestNode from, Send send)
    {
        Sent.Add((from.Id, send.Peer, send.Message));
        var message = send.Message;
        if (!_sessions.TryGetValue(message.Session, out var session))
        {
            return;
        }

        if (message is AppendRequest { IsEmpty: false } append)
        {
            message = from.Log.Attach(append);
        }

        _inFlight.Add((from, message.IsReply ? session.Opener : session.Acceptor, message));
    }

    public void Note(TestNode node, RaftEffect effect)
    {
        Effects.Add((node.Id, effect));
        if (IsTracing)
        {
            _notes.Add($"{node.Id}: {Describe.Effect(effect)}");
        }
    }

    public IReadOnlyList<string> TakeNotes()
    {
        var notes = _notes.ToArray();
        _notes.Clear();
        return notes;
    }

    private void ConnectAll()
    {
        foreach (var opener in Nodes)
        {
            foreach (var acceptor in Nodes)
            {
                if (opener == acceptor || opener.Core is null || acceptor.Core is not { } core
                    || _sessions.ContainsValue((opener, acceptor)))
                {
                    continue;
                }

                var session = ++_session;
                _sessions[session] = (opener, acceptor);
                var state = core.HasLoss ? PeerState.Loss : PeerState.Normal;
                var hello = new PeerHello(acceptor.Member.StorageId, state, core.Term, core.Epochs.Last.Term, core.End);
                opener.Call((running, now) => running.SessionOpened(now, acceptor.Id, session, hello));
            }
        }
    }

    private bool DeliverOne(Predicate<(TestNode From, TestNode To, PeerMessage Message)> isWanted)
    {
        var index = _inFlight.FindIndex(isWanted);
        if (index < 0)
        {
            return false;
        }

        var (from, to, message) = _inFlight[index];
        _inFlight.RemoveAt(index);
        if (!_blocked.Contains((from, to)) && _sessions.ContainsKey(message.Session))
        {
            to.Call((core, now) => core.Receive(now, message));
        }

        return true;
    }

    private bool StepDeferred()
    {
        var isAny = false;
        foreach (var node in Nodes)
        {
            if (node.Core is { NextDeadline: 0 })
            {
                node.Call((core, now) => core.Tick(now));
                isAny = true;
            }
        }

        return isAny;
    }
}
