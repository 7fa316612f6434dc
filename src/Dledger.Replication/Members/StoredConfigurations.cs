using Dledger.Primitives;
using Dledger.Raft.Quorums;
using Dledger.Storage.Logs;
using Dledger.Storage.Metadata;

namespace Dledger.Replication.Members;

/// <summary>Reads the configurations that recovery found in the local log.</summary>
internal static class StoredConfigurations
{
    /// <summary>
    /// The history that Raft's core begins with: the configuration in force where the log begins, then those of the log. Null with
    /// a fault when a record cannot be read, or one that was in force is missing. A snapshot that was just installed is the leader's
    /// word on what was committed, whatever this node knew before.
    /// </summary>
    /// <param name="metadata">Says who founded the cluster, and what was in force when it was written.</param>
    /// <param name="stored">The configuration records that recovery found, oldest first.</param>
    /// <param name="start">Where the log begins.</param>
    /// <param name="addresses">Learns where the members are; null when that is not wanted.</param>
    /// <param name="fault">What is wrong, or null.</param>
    public static IReadOnlyList<ConfigurationEntry>? Read(
        NodeMetadata metadata,
        IReadOnlyList<LogConfiguration> stored,
        LogPosition start,
        AddressBook? addresses,
        out string? fault)
    {
        fault = null;
        var history = new List<ConfigurationEntry>();
        if (!stored.Any(entry => entry.Position < start))
        {
            // No other one has come to be in force before the log begins.
            var founders = metadata.Genesis!.Voters.Select(voter => new Member(voter.Node, voter.StorageId));
            history.Add(new ConfigurationEntry(LogPosition.Zero, new Configuration(founders)));
        }

        foreach (var (position, record) in stored)
        {
            if (ConfigurationRecord.Decode(record.Span, position, out var places, out fault) is not { } configuration)
            {
                fault = $"the configuration at {position} cannot be read: {fault}";
                return null;
            }

            addresses?.Learn(position, places);
            fault = history.Count == 0 ? null : configuration.FindSuccessionFault(history[^1].Configuration);
            if (fault is not null)
            {
                fault = $"the configuration at {position} does not follow the one before: {fault}";
                return null;
            }

            history.Add(new ConfigurationEntry(position, configuration));
        }

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
