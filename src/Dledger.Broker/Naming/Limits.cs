namespace Dledger.Broker.Naming;

/// <summary>The numbers behind every rule: RocketMQ 5's defaults, unless a line says otherwise.</summary>
public static class Limits
{
    /// <summary>Longest topic name in characters.</summary>
    public const int TopicLengthMax = 127;

    /// <summary>
    /// Longest name of a topic that begins with <see cref="Names.DeadLetterPrefix"/> or <see
    /// cref="Names.RetryPrefix"/>.
    /// </summary>
    public const int InternalTopicLengthMax = 255;

    /// <summary>Most keys and message ids of one replay.</summary>
    public const int ReplayKeyCountMax = 100;

    /// <summary>Most clients of a broadcast group at a time.</summary>
    public const int BroadcastMembersMax = 1_000;

    /// <summary>Longest id of a client of a broadcast group, in UTF-8 bytes.</summary>
    public const int MemberClientIdBytesMax = 512;

    /// <summary>The shortest silence after which a client of a broadcast group is a member no more.</summary>
    public static readonly TimeSpan MemberExpiryMin = TimeSpan.FromMinutes(2);

    /// <summary>The longest such silence.</summary>
    public static readonly TimeSpan MemberExpiryMax = TimeSpan.FromDays(7);

    /// <summary>Longest consumer group name in characters.</summary>
    public const int GroupLengthMax = 120;

    /// <summary>
    /// Largest body in bytes. 64 KiB below RocketMQ's 4 MiB, so that a delivered message with all its properties fits
    /// the
    /// 4 MiB receive limit that the Node.js, C# and Rust clients keep.
    /// </summary>
    public const int BodyBytesMax = 4_194_304 - 65_536;

    /// <summary>Largest batch in body bytes.</summary>
    public const int BatchBytesMax = BodyBytesMax;

    /// <summary>
    /// Largest batch as records with all properties: it must fit one frame of the log (8 MiB by default).
    /// </summary>
    public const int BatchRecordBytesMax = 5 << 20;

    /// <summary>Most messages in one batch.</summary>
    public const int BatchCountMax = 1_024;

    /// <summary>Most user properties of one message.</summary>
    public const int UserPropertyCountMax = 128;

    /// <summary>Largest sum of the UTF-8 sizes of all user property keys and values, the tag and the keys.</summary>
    public const int UserPropertyBytesMax = 16_384;

    /// <summary>Largest encoded property map of a record; RocketMQ keeps its length in a signed 16-bit field.</summary>
    public const int EncodedPropertyBytesMax = 32_767;

    /// <summary>A message group is shorter than this, in UTF-8 bytes.</summary>
    public const int MessageGroupBytesLimit = 64;

    /// <summary>Longest message id in UTF-8 bytes. RocketMQ sets no limit; ours keeps records small.</summary>
    public const int MessageIdBytesMax = 255;

    /// <summary>Farthest delivery time ahead. RocketMQ's proxy allows one day unless told otherwise.</summary>
    public static readonly TimeSpan DeliveryDelayMax = TimeSpan.FromDays(365);

    /// <summary>Most delayed messages that wait at a time; beyond it new ones are refused as busy.</summary>
    public const long PendingCountMax = 20_000_000;

    /// <summary>Longest time until an undecided transaction is checked.</summary>
    public static readonly TimeSpan TransactionRecoveryMax = TimeSpan.FromHours(1);

    /// <summary>Shortest time between two checks of a transaction, and until the first.</summary>
    public static readonly TimeSpan TransactionCheckMin = TimeSpan.FromSeconds(1);

    /// <summary>Most checks of a transaction.</summary>
    public const int TransactionChecksMax = 100;

    /// <summary>Most messages of one topic that wait for the decision of their producers.</summary>
    public const int HalfMessagesPerTopicMax = 100_000;

    /// <summary>Most messages of all topics that wait for the decision of their producers.</summary>
    public const int HalfMessagesMax = 200_000;

    /// <summary>Decisions that are remembered for those who repeat theirs.</summary>
    public const int TransactionDecisionsMax = 100_000;

    /// <summary>Discarded transactions that are kept to be looked at.</summary>
    public const int DiscardedTransactionsMax = 10_000;

    /// <summary>Most transactions that are decided together.</summary>
    public const int TransactionsAtOnceMax = 256;

    /// <summary>Longest address of a webhook in characters.</summary>
    public const int WebhookUrlLengthMax = 1_024;

    /// <summary>Longest secret of a webhook in characters.</summary>
    public const int WebhookSecretLengthMax = 256;

    /// <summary>Shortest invisible duration on receive. RocketMQ asks for 10 s; shorter ones do no harm here.</summary>
    public static readonly TimeSpan InvisibleDurationMin = TimeSpan.FromSeconds(1);

    /// <summary>Longest invisible duration, on receive and on change.</summary>
    public static readonly TimeSpan InvisibleDurationMax = TimeSpan.FromHours(12);

    /// <summary>Most messages of one receive.</summary>
    public const int ReceiveBatchMax = 32;

    /// <summary>Most messages of one delivery of a stream.</summary>
    public const int StreamBatchMax = 1_024;

    /// <summary>Longest long poll.</summary>
    public static readonly TimeSpan LongPollMax = TimeSpan.FromSeconds(20);

    /// <summary>Most receipt handles in one acknowledgement.</summary>
    public const int AckBatchMax = 1_024;

    /// <summary>Longest attempt id in UTF-8 bytes.</summary>
    public const int AttemptIdBytesMax = 255;

    /// <summary>Longest filter expression in characters.</summary>
    public const int FilterLengthMax = 4_096;

    /// <summary>Most alternatives of one tag filter.</summary>
    public const int FilterTagCountMax = 128;

    /// <summary>Most queues of one topic.</summary>
    public const int QueueCountMax = 1_024;

    /// <summary>Shortest time for which a group may remember what it processed.</summary>
    public static readonly TimeSpan DedupWindowMin = TimeSpan.FromSeconds(1);

    /// <summary>Longest time for which a group may remember what it processed.</summary>
    public static readonly TimeSpan DedupWindowMax = TimeSpan.FromDays(7);

    /// <summary>Most processed keys that a group may remember.</summary>
    public const int DedupCountMax = 1_000_000;

    /// <summary>Most processed keys that all groups together may remember, by their settings: about 1 GiB of memory.</summary>
    public const long DedupTotalMax = 10_000_000;

    /// <summary>Longest name of the user property that is a group's key, in UTF-8 bytes.</summary>
    public const int DedupPropertyBytesMax = 255;

    /// <summary>Most routes of one topic.</summary>
    public const int RoutesPerTopicMax = 16;

    /// <summary>Longest name of a route in characters.</summary>
    public const int RouteNameLengthMax = 127;

    /// <summary>Longest filter of a route in UTF-8 bytes; all routes of a topic are one setting of it.</summary>
    public const int RouteFilterBytesMax = 1_024;

    /// <summary>Shortest retention time that a topic may wish.</summary>
    public static readonly TimeSpan RetentionTimeMin = TimeSpan.FromSeconds(1);

    /// <summary>Longest retention time that a topic may wish; that of the cluster has the same bound.</summary>
    public static readonly TimeSpan RetentionTimeMax = TimeSpan.FromDays(3_650);

    /// <summary>Largest retention size that a topic may wish, in bytes.</summary>
    public const long RetentionBytesMax = 1L << 50;

    /// <summary>Shortest time for which a topic may remember message ids.</summary>
    public static readonly TimeSpan IdWindowTimeMin = TimeSpan.FromSeconds(1);

    /// <summary>Longest time for which a topic may remember message ids.</summary>
    public static readonly TimeSpan IdWindowTimeMax = TimeSpan.FromHours(24);

    /// <summary>Most message ids that a topic may remember.</summary>
    public const int IdWindowCountMax = 1_000_000;

    /// <summary>Most message ids that all topics together may remember, by their settings: about 1 GiB of memory.</summary>
    public const long IdWindowTotalMax = 10_000_000;

    /// <summary>Longest name of a producer in characters.</summary>
    public const int ProducerNameLengthMax = 120;

    /// <summary>Most producers with sequences; above it the one unused for longest is forgotten.</summary>
    public const int ProducerCountMax = 65_536;

    /// <summary>Most topics that one producer numbers its messages for.</summary>
    public const int ProducerTopicCountMax = 1_024;

    /// <summary>Most pairs of producer and topic.</summary>
    public const int SequenceCountMax = 131_072;

    /// <summary>Largest epoch of a producer; it has 16 bits in records.</summary>
    public const int ProducerEpochMax = 65_535;

    /// <summary>Longest name of a lite topic in UTF-8 bytes.</summary>
    public const int LiteTopicBytesMax = 64;

    /// <summary>Most lite topics that a parent may allow; each takes a queue.</summary>
    public const int LiteTopicsMax = 100_000;

    /// <summary>Most lite topics that a group may allow in the set of one client.</summary>
    public const int LiteSubscriptionQuotaMax = 10_000;

    /// <summary>Most lite topics in the sets of all clients together.</summary>
    public const long LiteSubscriptionsMax = 1_000_000;

    /// <summary>Shortest time without a message after which lite topics may end.</summary>
    public static readonly TimeSpan LiteExpiryMin = TimeSpan.FromSeconds(1);

    /// <summary>Longest time without a message after which lite topics may end.</summary>
    public static readonly TimeSpan LiteExpiryMax = TimeSpan.FromDays(3_650);

    /// <summary>Most delivery attempts that a group may ask for.</summary>
    public const int AttemptsMax = 10_000;

    /// <summary>Most steps of a customised back-off.</summary>
    public const int BackoffStepCountMax = 64;

    /// <summary>Most entries of a client's own properties.</summary>
    public const int ClientPropertyCountMax = 32;

    /// <summary>Longest key of a client property.</summary>
    public const int ClientPropertyKeyLengthMax = 64;

    /// <summary>Longest value of a client property.</summary>
    public const int ClientPropertyValueLengthMax = 256;

    /// <summary>Largest sum of all client property keys and values in UTF-8 bytes.</summary>
    public const int ClientPropertyBytesMax = 4_096;

    /// <summary>The highest cap on messages in flight of a group or a client.</summary>
    public const int InFlightMax = 1_000_000;

    /// <summary>The highest rate of a quota, in messages or bytes per second: far above what a node can do.</summary>
    public const long QuotaRateMax = 1L << 40;

    /// <summary>The longest delay of a back-off.</summary>
    public static readonly TimeSpan BackoffMax = TimeSpan.FromDays(365);

    /// <summary>The longest pause of a group that ends by itself.</summary>
    public static readonly TimeSpan PauseMax = TimeSpan.FromDays(365);

    /// <summary>UTF-8 bytes of the reason of a pause.</summary>
    public const int PauseReasonBytesMax = 1_024;
}
