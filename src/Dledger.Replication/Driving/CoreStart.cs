using Dledger.Primitives;
using Dledger.Raft;
using Dledger.Replication.Members;
using Dledger.Replication.Tails;
using Dledger.Storage.Metadata;

namespace Dledger.Replication.Driving;

/// <summary>Makes Raft's core out of what recovery found on disk.</summary>
internal static class CoreStart
{
    /// <summary>The core of a node whose log is open and sound.</summary>
    /// <param name="around">What the loop works with.</param>
    /// <param name="view">The log as the core sees it.</param>
    /// <param name="commit">A lower bound of the commit position, at most the log's end.</param>
    public static RaftCore Create(LoopSurroundings around, RaftLogView view, LogPosition commit)
    {
        var metadata = around.Metadata;
        var history = StoredConfigurations.Read(
            metadata, around.Recovery.Configurations, around.Log.Start, around.Addresses, out var fault);
        Invariant.Check(history is not null, $"configurations were checked when the log was opened: {fault}");
        var boot = new RaftBoot(
            metadata.Term,
            metadata.VotedFor,
            around.Recovery.Epochs,
            around.Recovery.Tail.End,
            around.Log.DurableEnd,
            commit,
            history,
            HasLoss: metadata.LossFlag,
            ConfigurationFloor: metadata.ConfigurationFloor);
        return new RaftCore(OptionsOf(around.Options, metadata), boot, view, around.Seed);
    }

    private static RaftOptions OptionsOf(ReplicationOptions options, NodeMetadata metadata)
    {
        var electionMin = (long)options.ElectionTimeoutMin.TotalMicroseconds;
        return new RaftOptions
        {
            Self = options.Self,
            StorageId = metadata.StorageId,
            ElectionTimeoutMin = electionMin,
            ElectionTimeoutMax = (long)options.ElectionTimeoutMax.TotalMicroseconds,
            HeartbeatInterval = (long)options.HeartbeatInterval.TotalMicroseconds,
            CheckQuorumWindow = 2 * electionMin,
            UncommittedBytesMax = options.UncommittedBytesMax,
        };
    }
}
