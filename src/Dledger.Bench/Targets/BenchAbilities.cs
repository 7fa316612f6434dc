namespace Dledger.Bench.Targets;

/// <summary>What not every measured system can do; workloads that need it are refused for the others.</summary>
[Flags]
public enum BenchAbilities
{
    None = 0,

    /// <summary>Deliveries can be returned, and come again at once.</summary>
    Return = 1,

    /// <summary>Groups receive messages and acknowledge them.</summary>
    Groups = 4,

    /// <summary>A topic can be read from its first message without a group and without acknowledgements.</summary>
    PlainRead = 2,
}
