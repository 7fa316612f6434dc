namespace Dledger.Cli.Commands.Bench;

/// <summary>What a workload does, and so which options it has.</summary>
[Flags]
internal enum BenchFeatures
{
    None = 0,

    /// <summary>It sends while it is measured.</summary>
    Sends = 1,

    /// <summary>It can send at a fixed rate.</summary>
    Paced = 2,

    /// <summary>It has consumers.</summary>
    Receives = 4,

    /// <summary>It reads what was written before.</summary>
    Stocked = 8,

    /// <summary>Its number of topics can be chosen.</summary>
    Spread = 16,

    /// <summary>It has a warm-up by time.</summary>
    WarmsUp = 32,

    /// <summary>Several groups.</summary>
    FansOut = 64,

    /// <summary>Two loads take turns.</summary>
    Alternates = 128,

    /// <summary>It writes a backlog and reads it cold.</summary>
    Backlog = 256,

    /// <summary>It gives messages back.</summary>
    Returns = 512,

    /// <summary>It can be done by one interface or the other.</summary>
    ChoosesApi = 1_024,
}
