using Dledger.Primitives;
using Dledger.Storage.Frames;

namespace Dledger.Storage.Logs;

/// <summary>What recovery hands to a <see cref="CommitLog"/>, which owns all of it from then on.</summary>
internal sealed record CommitLogState(
    Segment[] Segments,
    SparePool Spares,
    EpochTable Epochs,
    LogConfigurations Configurations,
    ChainTail Tail,
    WatermarkSlot Watermark,
    long CheckpointSequence,
    LogPosition CheckpointEnd,
    long StartSequence);
