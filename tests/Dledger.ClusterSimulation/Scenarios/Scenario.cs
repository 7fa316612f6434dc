using Dledger.Broker;
using Dledger.ClusterSimulation.Clients;
using Dledger.ClusterSimulation.Mutations;
using Dledger.Replication;
using Dledger.Storage.Logs;
using Dledger.Testing.Schedules;

namespace Dledger.ClusterSimulation.Scenarios;

/// <summary>
/// What one run is made of: cluster, sizes, load, and the kinds of faults. Drawn from the seed; times in microseconds.
/// </summary>
/// <remarks>
/// Sizes are tiny, so that segments roll and checkpoints are cut all the time. Each seed draws which faults are on at all,
/// also "almost none": swarms of such runs reach more than one full mixture.
/// </remarks>
internal sealed record Scenario
{
    public required int NodeCount { get; init; }

    /// <summary>Shortest election timeout.</summary>
    public required long ElectionTimeout { get; init; }

    public required long FaultPhase { get; init; }

    public required long FaultInterval { get; init; }

    public required long Downtime { get; init; }

    public required long Latency { get; init; }

    public required long SyncLatency { get; init; }

    /// <summary>From the wake-up of a loop to its turn.</summary>
    public required long Reaction { get; init; }

    public required long PreparerInterval { get; init; }

    public required int ProducerCount { get; init; }

    /// <summary>What each producer sends while faults are on.</summary>
    public required int MessageCount { get; init; }

    public required long ProduceInterval { get; init; }

    public required int BodyBytesMax { get; init; }

    public required int ConsumerCount { get; init; }

    public required long ConsumeInterval { get; init; }

    /// <summary>How often a consumer acks what it was given, while faults are on.</summary>
    public required double AckShare { get; init; }

    public required long InvisibleTime { get; init; }

    public required long LongPoll { get; init; }

    public required long CallPatience { get; init; }

    public required int QueueCount { get; init; }

    public required int AttemptsMax { get; init; }

    public required CommitLogOptions Log { get; init; }

    public required long CheckpointInterval { get; init; }

    /// <summary>Relative error of the nodes' monotonic clocks, at most.</summary>
    public required double ClockError { get; init; }

    public required long WallErrorMax { get; init; }

    public required bool HasKills { get; init; }

    public required bool HasPowerLoss { get; init; }

    public required bool HasCrashesInCalls { get; init; }

    public required bool HasPartitions { get; init; }

    public required bool HasBrokenConnections { get; init; }

    public required bool HasSlowLinks { get; init; }

    public required bool HasPauses { get; init; }

    public required bool HasDiskStalls { get; init; }

    public required bool HasDiskErrors { get; init; }

    public required bool HasTransfers { get; init; }

    public required bool HasStops { get; init; }

    public required bool HasClockJumps { get; init; }

    /// <summary>Of the random stream by which a run has streams, and of that which their clients draw from.</summary>
    public const ulong RecordStream = 0x57_12EA_3ED0;

    /// <summary>Producers encode their records themselves, as those of a stream do, and there are clients of streams as well.</summary>
    public bool IsStreamed { get; init; }

    /// <summary>Only a bare majority comes back for the last phase.</summary>
    public required bool HealsBareMajority { get; init; }

    /// <summary>Bytes of log that are kept; 0: all.</summary>
    public required long RetentionBytes { get; init; }

    /// <summary>A defect to seed; none in a campaign that looks for real ones.</summary>
    public Mutation Mutation { get; init; }

    public required bool HasFullDisks { get; init; }

    public required bool HasForeignDirectories { get; init; }

    public required bool HasMetaRot { get; init; }

    public required bool HasCheckpointRot { get; init; }

    /// <summary>Bytes of a log change by themselves, on a minority of the disks.</summary>
    public required bool HasDamage { get; init; }

    /// <summary>Disks are lost for good and replaced.</summary>
    public bool HasLostDisks { get; init; }

    /// <summary>Nodes are taken out, added and drained.</summary>
    public bool HasMemberChanges { get; init; }

    /// <summary>Places of sealed segments cannot be read for a while, on a minority of the disks.</summary>
    public bool HasReadErrors { get; init; }

    /// <summary>A client asks where queues end, and the leader is frozen now and then.</summary>
    public bool HasStatusReads { get; init; }

    /// <summary>An operator moves a group about, and others read by offset. Drawn from a stream of its own.</summary>
    public bool HasSeeks { get; init; }

    /// <summary>Of the random stream that only delayed messages draw from: runs without them are what they were before there were any.</summary>
    public const ulong TimerStream = 0x7A3D_91C4_55E0_1B27;

    /// <summary>There is a topic with delayed messages as well.</summary>
    public bool HasTimers { get; init; }

    /// <summary>The topic's own retention, microseconds; 0: that of the cluster.</summary>
    public long TopicRetentionTime { get; init; }

    /// <summary>The same by the size of its messages; 0: no bound.</summary>
    public long TopicRetentionBytes { get; init; }

    /// <summary>The topic knows messages by their ids; producers repeat what has an unknown outcome under the same id.</summary>
    public bool HasIdWindow { get; init; }

    /// <summary>Producers number their messages, and repeat what has an unknown outcome with the same number.</summary>
    public bool HasNumbers { get; init; }

    /// <summary>A repeat is stored once.</summary>
    public bool HasRepeats => HasIdWindow || HasNumbers;

    /// <summary>Nodes keep an index of keys, and producers set keys.</summary>
    public bool HasKeyIndex { get; init; }

    /// <summary>Message groups; null for a run without them.</summary>
    public OrderScenario? Order { get; init; }

    /// <summary>A group that finished messages are replayed to; null for a run without it.</summary>
    public ReplayScenario? Replay { get; init; }

    /// <summary>A broadcast group; null for a run without it.</summary>
    public BroadcastScenario? Broadcast { get; init; }

    /// <summary>Producers send transactional messages, some of which they decide only when they are asked.</summary>
    public bool HasTransactions { get; init; }

    /// <summary>A topic and a group with quotas; null for a run without them.</summary>
    public QuotaScenario? Quotas { get; init; }

    /// <summary>A group with rare settings; null for a run without one.</summary>
    public ModeScenario? Modes { get; init; }

    /// <summary>Lite topics, where there are any, end by themselves and by an operator.</summary>
    public bool HasLiteEnds { get; init; }

    public bool ChangesMembers => HasLostDisks || HasMemberChanges;

    /// <summary>Some node may find a part of its own log unreadable.</summary>
    public bool MayDamageLogs => HasDamage || HasReadErrors;

    public BrokerOptions BrokerOptions => new()
    {
        AutoCreateGroups = true,
        DeliveryWindow = 64,
        CheckpointBytes = 1 << 20,
        CheckpointInterval = TimeSpan.FromMicroseconds(CheckpointInterval),
        RetentionBytes = RetentionBytes,
        // Clocks jump by up to an hour each time, and log time goes with those that jump ahead.
        ProducerExpiry = TimeSpan.FromDays(7),
        HolderSilence = Modes is { } modes
            ? TimeSpan.FromMicroseconds(modes.HolderSilence)
            : Broker.Receiving.ClientRegistry.AliveFor,
        ClientQuota = Quotas?.Client ?? Broker.Quotas.QuotaRates.None,
        LiteFirstLook = HasLiteEnds ? TimeSpan.FromSeconds(1) : new BrokerOptions().LiteFirstLook,
        TimerMemoryMax = 16,
        TimerChunkBits = 12,
        TimerBatchBytesMax = 4096,
        KeyIndex = HasKeyIndex,
        KeyIndexSizes = new() { EntriesPerFile = 48, WaitingBlocksMax = 2 },
        Defect = Enum.TryParse<SeededDefect>(Mutation.ToString(), out var defect) ? defect : SeededDefect.None,
    };

    public static Scenario Draw(ulong seed, Mutation mutation = Mutation.None)
    {
        var random = new SimulationRandom(seed ^ 0x5DEECE66D);
        var timeout = random.Chance(0.2) ? 500_000 : random.Next(80_000, 250_000);
        int[] counts = [3, 3, 3, 3, 3, 3, 5, 5, 1];
        var scenario = new Scenario
        {
            NodeCount = random.Pick(counts),
            ElectionTimeout = timeout,
            FaultPhase = timeout * random.Next(8, 20),
            FaultInterval = random.NextLogarithmic(timeout / 4, timeout * 5),
            Downtime = random.NextLogarithmic(timeout / 10, timeout * 2),
            Latency = random.NextLogarithmic(50, timeout / 50),
            SyncLatency = random.NextLogarithmic(100, timeout / 30),
            Reaction = random.NextLogarithmic(2, 200),
            PreparerInterval = random.NextLogarithmic(5_000, 200_000),
            ProducerCount = 1 + random.Next(4),
            MessageCount = (int)random.NextLogarithmic(20, 200),
            ProduceInterval = random.NextLogarithmic(timeout / 200, timeout / 10),
            BodyBytesMax = (int)random.NextLogarithmic(16, 3_000),
            ConsumerCount = 1 + random.Next(3),
            ConsumeInterval = random.NextLogarithmic(timeout / 100, timeout / 5),
            AckShare = random.Chance(0.3) ? 0.3 : 0.8,
            InvisibleTime = random.Next(1_000_000, 3_000_000),
            LongPoll = random.Next(10_000, 300_000),
            CallPatience = random.Next(timeout, 4 * timeout),
            QueueCount = 1 + random.Next(4),
            AttemptsMax = 2 + random.Next(4),
            Log = new CommitLogOptions
            {
                SegmentBytes = 4096 * random.Next(3, 40),
                FrameBytesMax = 8192,
                SpareCount = random.Next(3),
                ZeroFillSpares = random.Chance(0.5),
                PrepareBytesPerSecond = 1 << 20,
                UnsyncedBytesMax = random.Next(8192, 65_536),
                CheckpointBytes = random.Next(8192, 262_144),
                WatermarkDelayMax = TimeSpan.FromMicroseconds(random.NextLogarithmic(1_000, 100_000)),
            },
            CheckpointInterval = random.Next(1_000_000, 2_000_000),
            ClockError = random.Chance(0.5) ? 0.0002 : 0.03,
            WallErrorMax = random.Chance(0.5) ? 1 : 3_000_000,
            HasKills = random.Chance(0.6),
            HasPowerLoss = random.Chance(0.4),
            HasCrashesInCalls = random.Chance(0.4),
            HasPartitions = random.Chance(0.5),
            HasBrokenConnections = random.Chance(0.4),
            HasSlowLinks = random.Chance(0.2),
            HasPauses = random.Chance(0.3),
            HasDiskStalls = random.Chance(0.2),
            HasDiskErrors = random.Chance(0.15),
            HasTransfers = random.Chance(0.3),
            HasStops = random.Chance(0.3),
            HasClockJumps = random.Chance(0.2),
            HealsBareMajority = random.Chance(0.25),
            HasFullDisks = random.Chance(0.15),
            HasForeignDirectories = random.Chance(0.2),
            HasMetaRot = random.Chance(0.2),
            HasCheckpointRot = random.Chance(0.2),
            HasDamage = random.Chance(0.2),
            RetentionBytes = random.Chance(0.25) ? random.NextLogarithmic(8_192, 60_000) : 0,
            Mutation = mutation,
        };

        // Enough of small files that old ones go while a node is away.
        if (scenario.RetentionBytes > 0)
        {
            scenario = scenario with
            {
                MessageCount = 3 * scenario.MessageCount,
                Log = scenario.Log with { SegmentBytes = 4096 * random.Next(3, 8) },
            };
        }

        if (scenario.NodeCount > 1 && random.Chance(0.15))
        {
            scenario = WithMemberChanges(scenario, random);
        }

        // From a stream of its own: runs without repeats stay exactly as they are.
        var repeats = new SimulationRandom(seed ^ 0x1DE4907EC7).Next(6);

        // What came later is drawn last, so that seeds keep most of their meaning.
        return scenario with
        {
            HasIdWindow = repeats == 0,
            HasNumbers = repeats == 1,
            IsStreamed = new SimulationRandom(seed ^ RecordStream).Chance(0.33),
            HasReadErrors = random.Chance(0.15) && scenario.NodeCount > 2,
            HasTransactions = new SimulationRandom(seed ^ SimulatedCluster.TransactionStream).Chance(0.33),
            HasStatusReads = random.Chance(0.4),
            HasSeeks = new SimulationRandom(seed ^ SimulatedCluster.SeekStream).Chance(0.3),
            TopicRetentionTime = random.Chance(0.1) ? random.NextLogarithmic(1_000_000, 5_000_000) : 0,
            TopicRetentionBytes = random.Chance(0.1) ? random.NextLogarithmic(1_024, 32_768) : 0,
            Order = OrderScenario.Draw(seed),
            Quotas = QuotaScenario.Draw(seed),
            Replay = ReplayScenario.Draw(seed),
            Broadcast = BroadcastScenario.Draw(seed),
            Modes = ModeScenario.Draw(seed, timeout),
            HasLiteEnds = LiteWorkload.EndsIn(seed),
            HasTimers = new SimulationRandom(seed ^ TimerStream ^ 1).Chance(0.33),


            // A stream of its own: runs without it stay as they were.
            HasKeyIndex = new SimulationRandom(seed ^ 0x4B45594944580001).Chance(0.35),
        };
    }

    // A replacement begins only after seconds. Half of these runs have the other faults of the disks as well: CopyBudget keeps
    // what all of them take below a majority. Only a bare majority at the end is out of the question: who stays away may be
    // a voter that the cluster needs to become whole.
    private static Scenario WithMemberChanges(Scenario scenario, SimulationRandom random)
    {
        var kind = random.Next(3);
        var nodeCount = random.Chance(0.3) ? 4 : scenario.NodeCount;
        var isMixed = random.Chance(0.5);
        return scenario with
        {
            NodeCount = nodeCount,
            FaultPhase = scenario.FaultPhase + 4_000_000,
            MessageCount = 2 * scenario.MessageCount,
            HasLostDisks = kind != 0,
            HasMemberChanges = kind != 1,
            HealsBareMajority = false,
            HasFullDisks = isMixed && scenario.HasFullDisks,
            HasForeignDirectories = isMixed && scenario.HasForeignDirectories,
            HasMetaRot = isMixed && scenario.HasMetaRot,
            HasDamage = isMixed && scenario.HasDamage,
        };
    }

    public ReplicationOptions OptionsOf(NodeId self) => new()
    {
        Self = self,
        Members = [.. Enumerable.Range(1, NodeCount).Select(id => new ClusterMember(new NodeId(id), $"host-{id}", 1))],
        Log = Log,
        ElectionTimeoutMin = TimeSpan.FromMicroseconds(ElectionTimeout),
        ElectionTimeoutMax = TimeSpan.FromMicroseconds(2 * ElectionTimeout),
        HeartbeatInterval = TimeSpan.FromMicroseconds(ElectionTimeout / 7),
        FrameBytesTarget = 4096,
        UncommittedBytesMax = 65_536,
        UnappliedBytesMax = 65_536,
        TailCacheBytesMax = 32_768,
        CatchUpBytesPerSecond = 1 << 20,
        InstallsEverySnapshot = Mutation == Mutation.SnapshotTakesBack,
        ScrubInterval = MayDamageLogs ? TimeSpan.FromMicroseconds(2 * ElectionTimeout) : TimeSpan.FromDays(7),
    };
}
