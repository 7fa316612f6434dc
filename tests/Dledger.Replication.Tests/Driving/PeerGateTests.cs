using Dledger.Primitives;
using Dledger.Raft.Messages;
using Dledger.Raft.Peers;
using Dledger.Raft.Quorums;
using Dledger.Replication.Bulk;
using Dledger.Replication.Clocks;
using Dledger.Replication.Driving;
using Dledger.Replication.Members;
using Dledger.Replication.Peers;
using Dledger.Replication.Tests.Clusters;
using Dledger.Storage.Frames;
using Dledger.Storage.Metadata;
using Dledger.Storage.Records;

namespace Dledger.Replication.Tests.Driving;

/// <summary>Who may talk to a node, and which frames with a configuration pass.</summary>
public sealed class PeerGateTests
{
    private static readonly Genesis Genesis = new(
        new Guid("00112233-4455-6677-8899-aabbccddeeff"), [new GenesisVoter(new NodeId(1), Guid.AllBitsSet)]);

    private static readonly ClusterSeed Seed = ClusterSeed.Of(Genesis.ClusterId, RaftGroupId.First);

    private readonly ReplicationOptions _options = new()
    {
        Self = new NodeId(1),
        Members = [new ClusterMember(new NodeId(1), "one", 1), new ClusterMember(new NodeId(2), "two", 2)],
    };

    private readonly LoopInbox _inbox;
    private readonly AddressBook _addresses;
    private readonly PeerGate _gate;

    public PeerGateTests()
    {
        var clock = new LogClock(TimeProvider.System);
        var picture = NodePicture.Unavailable(Guid.Empty, PeerState.Fresh, Term.Zero, "a test");
        _inbox = new LoopInbox(_options);
        _addresses = new AddressBook(_options);
        _gate = new PeerGate(
            _options,
            Guid.AllBitsSet,
            _options.Log.FrameBytesMax,
            _inbox,
            clock,
            new BulkServer(() => picture, new RecordingMachine(), clock),
            _addresses,
            () => picture);
    }

    [Fact]
    public void A_configuration_of_a_range_reaches_the_loop_with_its_position_and_its_addresses_are_learned()
    {
        _gate.Admit(Genesis);
        var configuration = new Configuration([new Member(new NodeId(7), Guid.AllBitsSet)]);
        var append = Append(ConfigurationRecord.Encode(configuration, node => new MemberPlace(node, "seven", 7)));

        Assert.Null(_gate.Received(append));

        var events = new List<LoopEvent>();
        Assert.True(_inbox.TryTakeEvents(ref events));
        var arrived = Assert.IsType<AppendRequest>(Assert.IsType<MessageArrived>(Assert.Single(events)).Message);
        Assert.Equal([new ConfigurationEntry(LogPosition.Zero, configuration)], arrived.Configurations);
        Assert.Equal(new ClusterMember(new NodeId(7), "seven", 7), _addresses.Find(new NodeId(7)));
    }

    [Fact]
    public void A_range_with_a_configuration_that_cannot_be_read_is_refused_as_a_whole()
    {
        _gate.Admit(Genesis);
        var record = RecordEncoder.Encode(new RecordFields { Kind = RecordKind.Configuration }, [], [], new byte[12]);

        Assert.Contains("a bad configuration at 0", _gate.Received(Append(record)), StringComparison.Ordinal);

        var events = new List<LoopEvent>();
        Assert.False(_inbox.TryTakeEvents(ref events));
    }

    [Fact]
    public void A_node_without_a_cluster_hears_only_those_of_its_options()
    {
        Assert.Null(_gate.Judge(Introduction(2, Genesis.ClusterId)));
        Assert.Contains("was configured with", _gate.Judge(Introduction(3, Genesis.ClusterId)), StringComparison.Ordinal);
        Assert.Contains("number of the node", _gate.Judge(Introduction(1, Genesis.ClusterId)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_of_a_cluster_hears_every_node_of_it_and_new_ones_but_no_strangers()
    {
        _gate.Admit(Genesis);

        Assert.Null(_gate.Judge(Introduction(3, Genesis.ClusterId)));
        Assert.Null(_gate.Judge(Introduction(4, Guid.Empty)));
        Assert.Contains("belongs to cluster", _gate.Judge(Introduction(2, Guid.AllBitsSet)), StringComparison.Ordinal);
        Assert.Equal("client-3:8081", _addresses.ClientAddressOf(new NodeId(3)));
    }

    private static PeerIntroduction Introduction(int node, Guid clusterId) => new()
    {
        Group = RaftGroupId.First,
        Node = new NodeId(node),
        ClusterId = clusterId,
        StorageId = Guid.AllBitsSet,
        State = PeerState.Normal,
        Term = Term.Zero,
        LastTerm = Term.Zero,
        Start = LogPosition.Zero,
        End = LogPosition.Zero,
        Durable = LogPosition.Zero,
        WallClock = 0,
        ClientAddress = $"client-{node}:8081",
    };

    private static AppendRequest Append(byte[] record)
    {
        var tail = ChainTail.Genesis(Seed);
        var flags = FrameFlags.TermStart | FrameFlags.Configuration | FrameFlags.ControlOnly;
        var frame = FrameBuilder.Build(tail, new Term(1), 1, LogPosition.Zero, flags, new NodeId(2), [record], Seed);
        return new AppendRequest
        {
            From = new NodeId(2),
            Session = 1,
            Term = new Term(1),
            Stream = 0,
            Previous = LogPosition.Zero,
            PreviousTerm = Term.Zero,
            PreviousChain = tail.HeaderCrc,
            RangeEnd = LogPosition.Zero + frame.Length,
            Commit = LogPosition.Zero,
            SentAt = 1,
            Bytes = frame,
        };
    }
}
