namespace Dledger.Broker.Groups;

/// <summary>When a message is finished for its group. Persisted numbers.</summary>
public enum AckMode : byte
{
    /// <summary>When it is acknowledged: delivered until then, perhaps more than once.</summary>
    AtLeastOnce = 0,

    /// <summary>When it is handed out: delivered once or, when the answer is lost, never.</summary>
    AtMostOnce = 1,
}
