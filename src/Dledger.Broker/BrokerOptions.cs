using Dledger.Broker.Groups;
using Dledger.Broker.Quotas;

namespace Dledger.Broker;

/// <summary>What an operator may choose about the broker.</summary>
public sealed record BrokerOptions
{
    /// <summary>
    /// Create a topic when somebody sends to it or asks for its route. Off in production, on in <c>dev</c>.
    /// </summary>
    public bool AutoCreateTopics { get; init; }

    /// <summary>Create a consumer group when somebody receives with it.</summary>
    public bool AutoCreateGroups { get; init; } = true;

    /// <summary>Queues of a topic created on use; 1 to 1024.</summary>
    public int AutoCreateQueueCount { get; init; } = 8;

    /// <summary>Where new groups begin unless they say otherwise.</summary>
    public GroupStart NewGroupStart { get; init; } = GroupStart.Earliest;

    /// <summary>
    /// How many neighbouring offsets of a queue one group works on at a time; what stays unfinished behind them is kept track of one by
    /// one. 64 to 65536.
    /// </summary>
    public int DeliveryWindow { get; init; } = 4_096;

    /// <summary>Most long polls parked on this node; above it a receive is refused as busy. 1 to 1,000,000.</summary>
    public int ParkedReceivesMax { get; init; } = 100_000;

    /// <summary>Log bytes after which the state is written to a checkpoint; 1 MiB or more.</summary>
    public long CheckpointBytes { get; init; } = 256L << 20;

    /// <summary>Time after which a changed state is written to a checkpoint; 1 s or more.</summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long messages are kept at least, consumed or not; zero: for ever. They go in whole files of the log, so a while later.
    /// </summary>
    public TimeSpan RetentionTime { get; init; } = TimeSpan.FromHours(72);

    /// <summary>
    /// Bytes of log that are kept; older messages go although they are younger than <see cref="RetentionTime"/>. 0: no bound.
    /// </summary>
    public long RetentionBytes { get; init; }

    /// <summary>
    /// Used percent of the leader's disk above which the oldest files of the log go although they are younger than
    /// <see cref="RetentionTime"/>; 0 to 95, 0: messages are never given up for the disk's sake.
    /// </summary>
    public int RetentionDiskPercent { get; init; }

    /// <summary>How long a producer that numbers its messages is known without use; 1 min to 7 days.</summary>
    public TimeSpan ProducerExpiry { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// What one client may send in a second, and what it may be given: each up to these rates, 0 to
    /// <see cref="Naming.Limits.QuotaRateMax"/>, 0: no bound.
    /// </summary>
    public QuotaRates ClientQuota { get; init; }

    /// <summary>Keep an index by which messages are found by id and key.</summary>
    public bool KeyIndex { get; init; } = true;

    /// <summary>For tests only: smaller files.</summary>
    internal Storage.Keys.KeyIndexOptions KeyIndexSizes { get; init; } = new();

    /// <summary>
    /// Most unfinished messages of one group on one topic that are kept track of below the window; a constant but for tests.
    /// </summary>
    internal int AsideMax { get; init; } = 1_000_000;

    /// <summary>Most members of a broadcast group; a constant but for tests.</summary>
    internal int BroadcastMembersMax { get; init; } = Naming.Limits.BroadcastMembersMax;

    /// <summary>
    /// A client that holds an exclusive group and was silent for so long has to make room; a constant but for tests.
    /// </summary>
    internal TimeSpan HolderSilence { get; init; } = Receiving.ClientRegistry.AliveFor;

    /// <summary>
    /// After this time a new leader has heard of the lite topics that clients ask for; a constant but for tests, above zero.
    /// </summary>
    internal TimeSpan LiteFirstLook { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Delayed messages that wait in memory, of each group; more of them wait in files.</summary>
    internal const int TimerMemoryMaxDefault = 65_536;

    /// <summary>For tests only: another bound of delayed messages in memory, 2 or more.</summary>
    internal int TimerMemoryMax { get; init; } = TimerMemoryMaxDefault;

    /// <summary>Log bytes, as a power of two, whose waiting messages are counted together.</summary>
    internal const int TimerChunkBitsDefault = 26;

    /// <summary>For tests only, and the same on all nodes: another size of chunks.</summary>
    internal int TimerChunkBits { get; init; } = TimerChunkBitsDefault;

    /// <summary>For tests only: bytes of delayed messages that are copied by one proposal, far below a frame of the log.</summary>
    internal int TimerBatchBytesMax { get; init; } = 1 << 20;

    /// <summary>For the simulation only: the defect to show.</summary>
    internal SeededDefect Defect { get; init; }

    /// <summary>Every option outside its range, as "key: problem" lines; empty when all is well.</summary>
    public IReadOnlyList<string> Validate()
    {
        var problems = new List<string>();
        Check(AutoCreateQueueCount is >= 1 and <= Naming.Limits.QueueCountMax,
            nameof(AutoCreateQueueCount), AutoCreateQueueCount, $"1 to {Naming.Limits.QueueCountMax}");
        Check(Enum.IsDefined(NewGroupStart), nameof(NewGroupStart), NewGroupStart, "Earliest or Latest");
        Check(DeliveryWindow is >= 64 and <= 65_536, nameof(DeliveryWindow), DeliveryWindow, "64 to 65536");
        Check(ParkedReceivesMax is >= 1 and <= 1_000_000,
            nameof(ParkedReceivesMax), ParkedReceivesMax, "1 to 1000000");
        Check(CheckpointBytes >= 1 << 20, nameof(CheckpointBytes), CheckpointBytes, "1048576 bytes or more");
        Check(CheckpointInterval >= TimeSpan.FromSeconds(1),
            nameof(CheckpointInterval), CheckpointInterval, "1 second or more");
        Check(RetentionTime >= TimeSpan.Zero, nameof(RetentionTime), RetentionTime, "zero or more");
        Check(RetentionBytes >= 0, nameof(RetentionBytes), RetentionBytes, "0 bytes or more");
        Check(RetentionDiskPercent is >= 0 and <= 95, nameof(RetentionDiskPercent), RetentionDiskPercent, "0 to 95");
        Check(ProducerExpiry >= TimeSpan.FromMinutes(1) && ProducerExpiry <= TimeSpan.FromDays(7),
            nameof(ProducerExpiry), ProducerExpiry, "1 minute to 7 days");
        Check(ClientQuota.MessagesPerSecond is >= 0 and <= Naming.Limits.QuotaRateMax
                && ClientQuota.BytesPerSecond is >= 0 and <= Naming.Limits.QuotaRateMax,
            nameof(ClientQuota), ClientQuota, $"0 to {Naming.Limits.QuotaRateMax}");
        return problems;

        void Check(bool holds, string key, object value, string range)
        {
            if (!holds)
            {
                problems.Add($"{key}: {value} is out of range; allowed: {range}");
            }
        }
    }
}
