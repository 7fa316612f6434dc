using Dledger.Storage.Disks;

namespace Dledger.Replication.Applying;

/// <summary>A committed frame of the own log is damaged; other nodes have it.</summary>
internal sealed class LogUnreadableException(DamagedFileException damage)
    : Exception($"a committed frame cannot be read: {damage.Message}", damage);
