namespace Dledger.Server;

/// <summary>Tells the starts of the machine apart.</summary>
internal static class MachineBoot
{
    private const string KernelFile = "/proc/sys/kernel/random/boot_id";

    /// <summary>
    /// The kernel's boot id. Where it cannot be read a new one each time: then every start without an orderly stop before it
    /// counts as one after a reboot, which costs a while of catching up and no data.
    /// </summary>
    public static Guid ReadId()
    {
        try
        {
            return Guid.TryParse(File.ReadAllText(KernelFile).Trim(), out var id) ? id : Guid.NewGuid();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return Guid.NewGuid();
        }
    }
}
