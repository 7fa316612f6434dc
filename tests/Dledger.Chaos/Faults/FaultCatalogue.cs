using Dledger.Chaos.Networks;

namespace Dledger.Chaos.Faults;

/// <summary>Every fault that can be asked for.</summary>
internal static class FaultCatalogue
{
    private const string Syncs = "fsync,fdatasync";
    private const string Writes = "pwrite64,pwritev,pwritev2";
    private const string Appends = "pwritev,pwritev2";

    public static readonly IReadOnlyList<FaultKind> All =
    [
        Kind("kill-leader", "F1", FaultNeeds.None, 0.5, 8, () => new KillFault(Victims.Leader)) with { MovesLeader = true },
        Kind("kill-follower", "F1", FaultNeeds.None, 0.5, 8, () => new KillFault(Victims.Follower)),
        Kind("kill-all", "F1", FaultNeeds.None, 0, 3, () => new KillFault(Victims.All)),
        Kind("kill-rolling", "F1", FaultNeeds.None, 0, 0, () => new RollingKillFault()) with { MovesLeader = true },
        Kind("freeze-leader", "F2", FaultNeeds.None, 2, 10, () => new FreezeFault(Victims.Leader)) with { MovesLeader = true },
        Kind("freeze-majority", "F2", FaultNeeds.None, 0.5, 6, () => new FreezeFault(Victims.Majority)),
        Kind("transfer", "P1", FaultNeeds.None, 0, 0, () => new TransferFault()) with { MovesLeader = true },
        Kind("planned-stop", "P2", FaultNeeds.None, 0, 2, () => new PlannedStopFault()) with { MovesLeader = true },

        Kind("cut-leader", "F3", FaultNeeds.Network, 3, 10, () => new PartitionFault(PartitionShape.LeaderAlone)) with { MovesLeader = true },
        Kind("cut-leader-peers", "F3", FaultNeeds.Network, 3, 10, () => new PartitionFault(PartitionShape.LeaderFromPeers)) with { MovesLeader = true },
        Kind("mute-leader", "F4", FaultNeeds.Network, 3, 10, () => new PartitionFault(PartitionShape.LeaderMute)) with { MovesLeader = true },
        Kind("deaf-leader", "F4", FaultNeeds.Network, 3, 10, () => new PartitionFault(PartitionShape.LeaderDeaf)) with { MovesLeader = true },
        Kind("bridge", "F5", FaultNeeds.Network, 3, 10, () => new PartitionFault(PartitionShape.Bridge)),
        Kind("ring", "F5", FaultNeeds.Network | FaultNeeds.FiveNodes, 3, 10, () => new PartitionFault(PartitionShape.Ring)),
        Kind("swizzle", "F5", FaultNeeds.Network, 1, 3, () => new PartitionFault(PartitionShape.Swizzle)),
        Kind("cut-clients", "F6", FaultNeeds.Network, 3, 10, () => new PartitionFault(PartitionShape.ClientsFromLeader)),
        Kind("delay", "F7", FaultNeeds.Network, 3, 10, () => new LinkFault(Slow, isLeaderOnly: false)),
        Kind("loss", "F7", FaultNeeds.Network, 3, 10, () => new LinkFault(Lossy, isLeaderOnly: false)),
        Kind("slow-link", "F8", FaultNeeds.Network, 0, 1, () => new SlowLinkFault()),
        Kind("reset", "F9", FaultNeeds.Network, 0.5, 3, () => new LinkFault(Resetting, isLeaderOnly: true)),

        Kind("sync-error-leader", "F10", FaultNeeds.Strace, 0, 2, () => new SyscallErrorFault(Victims.Leader, Syncs, "EIO")) with { MovesLeader = true },
        Kind("sync-error-follower", "F10", FaultNeeds.Strace, 0, 2, () => new SyscallErrorFault(Victims.Follower, Syncs, "EIO")),
        Kind("write-error-leader", "F11", FaultNeeds.Strace, 0, 2, () => new SyscallErrorFault(Victims.Leader, Writes, "EIO")) with { MovesLeader = true },
        Kind("write-error-follower", "F11", FaultNeeds.Strace, 0, 2, () => new SyscallErrorFault(Victims.Follower, Writes, "EIO")),
        Kind("write-no-space-leader", "F11", FaultNeeds.Strace, 0, 2, () => new SyscallErrorFault(Victims.Leader, Appends, "ENOSPC")) with { MovesLeader = true },
        Kind("write-no-space-follower", "F11", FaultNeeds.Strace, 0, 2, () => new SyscallErrorFault(Victims.Follower, Appends, "ENOSPC")),
        Kind("slow-sync-leader", "F12", FaultNeeds.Strace, 3, 8, () => new SlowSyncFault(Victims.Leader)),
        Kind("slow-sync-follower", "F12", FaultNeeds.Strace, 3, 8, () => new SlowSyncFault(Victims.Follower)),
        Kind("crash-point", "F17", FaultNeeds.Strace, 0, 2, () => new CrashPointFault()),

        Kind("full-disk-leader", "F13", FaultNeeds.Volumes, 8, 12, () => new FullDiskFault(Victims.Leader)),
        Kind("full-disk-follower", "F13", FaultNeeds.Volumes, 8, 12, () => new FullDiskFault(Victims.Follower)),
        Kind("full-disk-all", "F13", FaultNeeds.Volumes, 8, 12, () => new FullDiskFault(Victims.All)),
        Kind("power-one", "F15", FaultNeeds.Volumes, 0.2, 3, () => new PowerLossFault(Victims.Follower)),
        Kind("power-leader", "F15", FaultNeeds.Volumes, 0.2, 3, () => new PowerLossFault(Victims.Leader)) with { MovesLeader = true },
        Kind("power-majority", "F15", FaultNeeds.Volumes, 0.2, 3, () => new PowerLossFault(Victims.Majority)) with { CutsMajorityPower = true },
        Kind("power-all", "F15", FaultNeeds.Volumes, 0.2, 1, () => new PowerLossFault(Victims.All)) with { CutsMajorityPower = true },
        Kind("power-after-ack", "F15", FaultNeeds.Volumes, 0.2, 1, () => new PowerLossFault(Victims.All, isAfterAck: true)) with { CutsMajorityPower = true },

        Kind("power-then-freeze", "F16", FaultNeeds.Volumes | FaultNeeds.Network, 2, 6, () => new PowerThenFreezeFault()),

        Kind("bit-flip", "F18", FaultNeeds.None, 1, 3, () => new DamageFault(isBlock: false)),
        Kind("zero-block", "F18", FaultNeeds.None, 1, 3, () => new DamageFault(isBlock: true)),
        Kind("wiped-directory", "F19", FaultNeeds.None, 1, 3, () => new WipedDirectoryFault()),
        Kind("old-directory", "F19", FaultNeeds.None, 1, 3, () => new DirectoryFault(DirectoryFate.OldCopy)) with { IsInMix = false },
        Kind("swapped-directories", "F19", FaultNeeds.None, 1, 2, () => new DirectoryFault(DirectoryFate.Swapped)),
        Kind("clock-jump", "F20", FaultNeeds.FakeTime, 1, 3, () => new ClockFault()) with { MovesClocks = true },
        Kind("memory-limit", "F21", FaultNeeds.MemoryGroup, 3, 6, () => new GroupLimitFault(isMemory: true)),
        Kind("cpu-quota", "F22", FaultNeeds.CpuGroup, 3, 8, () => new GroupLimitFault(isMemory: false)),
        Kind("descriptors", "F23", FaultNeeds.Limits, 2, 4, () => new DescriptorFault()),
        Kind("member-change", "F24", FaultNeeds.None, 0, 1, () => new MemberChangeFault(MemberDisturbance.None)),
        Kind("member-change-kill", "F24", FaultNeeds.None, 0, 1, () => new MemberChangeFault(MemberDisturbance.Kill)) with { MovesLeader = true },
        Kind("member-change-freeze", "F24", FaultNeeds.None, 0, 1, () => new MemberChangeFault(MemberDisturbance.Freeze)),
        Kind("stuck-consumers", "F26", FaultNeeds.None, 0, 1, () => new StuckConsumersFault()),
        Kind("storm", "F27", FaultNeeds.None, 0, 1, () => new StormFault()),
    ];

    // Less than a tenth of the election timeout, so no election may come of the delay; loss stays below what TCP bears.
    private static LinkRule Slow => new() { Delay = TimeSpan.FromMilliseconds(5), Jitter = TimeSpan.FromMilliseconds(30) };

    private static LinkRule Lossy => new() { Loss = 0.05, Duplication = 0.02 };

    private static LinkRule Resetting => new() { IsReset = true };

    /// <summary>The kinds of these names; a name may be repeated.</summary>
    /// <exception cref="ChaosException">A name is unknown; the known ones are listed.</exception>
    public static IReadOnlyList<FaultKind> Named(IEnumerable<string> names) =>
    [
        .. names.Select(name => All.FirstOrDefault(kind => kind.Name == name) ?? throw new ChaosException(
            $"there is no fault '{name}'; known are: {string.Join(", ", All.Select(kind => kind.Name))}")),
    ];

    private static FaultKind Kind(
        string name, string code, FaultNeeds needs, double holdMin, double holdMax, Func<IFault> create) =>
        new(name, code, needs, TimeSpan.FromSeconds(holdMin), TimeSpan.FromSeconds(holdMax), create);
}
