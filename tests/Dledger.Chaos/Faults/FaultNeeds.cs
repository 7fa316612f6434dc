namespace Dledger.Chaos.Faults;

/// <summary>What a fault needs of the machine and of the run.</summary>
[Flags]
internal enum FaultNeeds
{
    None = 0,

    /// <summary>A namespace for each node and the switch between them.</summary>
    Network = 1,

    /// <summary>A file system for each node.</summary>
    Volumes = 2,

    /// <summary>strace that may attach to our processes.</summary>
    Strace = 4,

    /// <summary>The memory control group, writable.</summary>
    MemoryGroup = 8,

    /// <summary>The CPU control group, writable.</summary>
    CpuGroup = 16,

    /// <summary>The program prlimit.</summary>
    Limits = 32,

    /// <summary>The library libfaketime.</summary>
    FakeTime = 64,

    /// <summary>At least five nodes.</summary>
    FiveNodes = 128,
}
