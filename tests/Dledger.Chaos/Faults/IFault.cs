namespace Dledger.Chaos.Faults;

/// <summary>One injection of a fault: it is made, started, held for a while, proven and healed, once each.</summary>
/// <remarks>Healing is called however far the start came, and must leave nothing of the fault behind.</remarks>
internal interface IFault
{
    /// <summary>Begins it, and says in the round which nodes it hits.</summary>
    Task StartAsync(FaultRound round, CancellationToken cancellationToken);

    /// <summary>Looks for evidence that it did what it should, and writes it into the round's proof. False: it did not bite,
    /// which is no success of the nodes.</summary>
    Task<bool> ProveAsync(FaultRound round, CancellationToken cancellationToken);

    /// <summary>Ends it: processes run again, links are open, disks are whole.</summary>
    Task HealAsync(FaultRound round);
}
