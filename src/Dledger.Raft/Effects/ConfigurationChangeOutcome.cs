namespace Dledger.Raft.Effects;

/// <summary>How a requested change of the configuration ended.</summary>
public enum ConfigurationChangeOutcome
{
    /// <summary>The new configuration is committed.</summary>
    Done,

    /// <summary>Nothing was changed.</summary>
    Refused,

    /// <summary>This node leads no more; the change may still come to pass or not.</summary>
    Unknown,
}
