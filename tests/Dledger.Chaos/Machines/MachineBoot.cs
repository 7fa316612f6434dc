namespace Dledger.Chaos.Machines;

/// <summary>Another boot id than the kernel's, for one process: its machine seems to have started anew.</summary>
/// <remarks>The process gets a name space of its own for mounts, in which a file lies over that of the kernel. It lets go of
/// the mounts of others there, or it would keep their file systems in use.</remarks>
internal sealed class MachineBoot
{
    private const string KernelFile = "/proc/sys/kernel/random/boot_id";

    private MachineBoot(string file, IEnumerable<string> foreign) => LaunchPrefix =
    [
        "unshare", "--mount", "--propagation", "private", "sh", "-c",
        string.Concat(foreign.Select(mount => $"umount -l '{mount}'; ")) + $"mount --bind '{file}' {KernelFile} && exec \"$@\"",
        "sh",
    ];

    /// <summary>What starts a program with it.</summary>
    public IReadOnlyList<string> LaunchPrefix { get; }

    /// <summary>Why the machine cannot do this; null: it can.</summary>
    public static string? WhyNot() =>
        !File.Exists(KernelFile) ? $"{KernelFile} does not exist"
        : !Command.Exists("unshare") ? "the program unshare is missing (package util-linux)"
        : null;

    /// <summary>Draws a new id.</summary>
    /// <param name="file">Where it is kept; overwritten.</param>
    /// <param name="foreign">Mount points that the process must not hold.</param>
    public static MachineBoot Create(string file, IEnumerable<string> foreign)
    {
        File.WriteAllText(file, $"{Guid.NewGuid()}\n");
        return new MachineBoot(file, foreign);
    }
}
