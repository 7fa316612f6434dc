namespace Dledger.Chaos.Faults;

/// <summary>What happens to the leader right after it was asked for a change of the members.</summary>
internal enum MemberDisturbance
{
    None,

    /// <summary>kill -9, started again within two seconds.</summary>
    Kill,

    /// <summary>SIGSTOP for one to three seconds.</summary>
    Freeze,
}
