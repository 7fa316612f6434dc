namespace Dledger.Replication.Repairing;

/// <summary>What the scrubber tells its node. Called on its thread.</summary>
internal interface IScrubReports
{
    /// <summary>The log is damaged where it cannot be mended while it is in use.</summary>
    void LogMustReopen(string reason);
}
