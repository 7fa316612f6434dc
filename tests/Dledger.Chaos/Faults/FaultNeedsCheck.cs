using Dledger.Chaos.Disks;
using Dledger.Chaos.Machines;
using Dledger.Chaos.Networks;

namespace Dledger.Chaos.Faults;

/// <summary>Whether this machine has them.</summary>
internal static class FaultNeedsCheck
{
    /// <summary>Why it does not; null: it has.</summary>
    public static string? WhyNot(this FaultNeeds needs, int nodeCount)
    {
        if (needs.HasFlag(FaultNeeds.FiveNodes) && nodeCount < 5)
        {
            return "needs five nodes (NODES=5)";
        }

        if (needs.HasFlag(FaultNeeds.Network) && NodeNetwork.WhyNot() is { } network)
        {
            return network;
        }

        if (needs.HasFlag(FaultNeeds.Volumes) && LoopVolume.WhyNot() is { } volumes)
        {
            return volumes;
        }

        return needs.HasFlag(FaultNeeds.Strace) && !Command.Exists("strace") ? "the program strace is missing (package strace)"
            : needs.HasFlag(FaultNeeds.Limits) && !Command.Exists("prlimit") ? "the program prlimit is missing"
            : needs.HasFlag(FaultNeeds.MemoryGroup) && ControlGroup.WhyNot("memory") is { } memory ? memory
            : needs.HasFlag(FaultNeeds.CpuGroup) && ControlGroup.WhyNot("cpu") is { } cpu ? cpu
            : needs.HasFlag(FaultNeeds.FakeTime) && FakeClock.WhyNot() is { } clock ? clock
            : null;
    }
}
