using Dledger.Primitives;
using Dledger.Raft.Quorums;
using Dledger.Storage.Logs;
using Dledger.Storage.Metadata;

namespace Dledger.Replication.Members;

/// <summary>Reads the configurations that recovery found in the local log.</summary>
internal static class StoredConfigurations
{
    /// <summary>
    /// The history that Raft's core begins with: the cluster's first configuration, then those of the log. Null with a fault
    /// when a record cannot be read, or one that was in force is missing. A snapshot that was just installed is the leader's
    /// word on what was committed, whatever this node knew before.
    /// </summary>
    public static IReadOnlyList<ConfigurationEntry>? Read(
        NodeMetadata metadata, CommitLogRecovery recovery, AddressBook? addresses, out string? fault)
    {
        fault = null;
        var founders = new Configuration(
            metadata.Genesis!.Voters.Select(voter => new Member(voter.Node, voter.StorageId)));
        var history = new List<ConfigurationEntry> { new(LogPosition.Zero, founders) };
        foreach (var (position, record) in recovery.Configurations)
        {
            if (ConfigurationRecord.Decode(record.Span, out var places, out fault) is not { } configuration)
            {
                fault = $"the configuration at {position} cannot be read: {fault}";
                return null;
            }

            addresses?.Learn(position, places);
            if (history.Count == 1 && configuration.FindSuccessionFault(founders) is not null)
            {
                // Old ones below the log checkpoint are not kept.
                history.Clear();
            }

            fault = history.Count == 0 ? null : configuration.FindSuccessionFault(history[^1].Configuration);
            if (fault is not null)
            {
                fault = $"the configuration at {position} does not follow the one before: {fault}";
                return null;
            }

            history.Add(new ConfigurationEntry(position, configuration));
        }

        var start = recovery.Log?.Start ?? LogPosition.Zero;
        var floor = metadata.ConfigurationFloor;
        var isInstalled = metadata.InstalledApplied is not null;
        if (!isInstalled && floor < start && history[^1].Position < floor)
        {
            fault = $"the configuration at {floor} is not known any more, and the log begins behind it";
            return null;
        }

        return history;
    }
}
