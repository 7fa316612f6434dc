using System.Globalization;
using System.Runtime.InteropServices;
using Dledger.Chaos.Machines;

namespace Dledger.Chaos.Disks;

/// <summary>A file system of its own for one node, in an image file, so that it can lose its power or fill up alone.</summary>
internal sealed partial class LoopVolume : IAsyncDisposable
{
    private const string FileSystem = "ext4";
    private const string Ballast = "ballast-";
    private const int FillStepsMax = 30;
    private const long PieceBytesMin = 64 << 10;
    private const int OpenDirectory = 0x10000;

    // FS_IOC_SHUTDOWN with NOLOGFLUSH: what is not on the device is gone, and every further call gives EIO.
    private const uint Shutdown = 0x8004587d;
    private const uint WithoutFlush = 2;

    private static readonly TimeSpan UnmountPatience = TimeSpan.FromSeconds(10);

    private readonly string _image;
    private readonly string _will;

    private LoopVolume(string image, string mountPoint, string will)
    {
        _image = image;
        MountPoint = mountPoint;
        _will = will;
    }

    public string MountPoint { get; }

    /// <summary>Why the machine cannot do this; null: it can.</summary>
    public static string? WhyNot() =>
        Environment.UserName != "root" ? "needs root"
        : !File.Exists("/dev/loop-control") ? "/dev/loop-control does not exist"
        : !Command.Exists("mkfs.ext4") ? "the program mkfs.ext4 is missing (package e2fsprogs)"
        : MachineBoot.WhyNot();

    /// <summary>Makes an image of the given size, formats and mounts it.</summary>
    public static async Task<LoopVolume> CreateAsync(string directory, string name, long bytes, Undertaker undertaker)
    {
        var image = Path.Combine(directory, $"{name}.img");
        var mountPoint = Path.Combine(directory, $"{name}.mnt");
        Directory.CreateDirectory(mountPoint);
        await using (var file = File.Create(image))
        {
            file.SetLength(bytes);
        }

        await Command.RunAsync($"mkfs.{FileSystem}", "-q", "-F", "-m", "0", image);
        var will = undertaker.Leave($"umount '{mountPoint}' || umount -l '{mountPoint}'");
        await Command.RunAsync("mount", "-o", "loop", image, mountPoint);
        return new LoopVolume(image, mountPoint, will);
    }

    /// <summary>Drops everything that was not synced; from now on every call of the node gives EIO.</summary>
    public void CutPower()
    {
        var directory = Open(MountPoint, OpenDirectory);
        if (directory < 0)
        {
            throw new ChaosException($"cannot open {MountPoint}: error {Marshal.GetLastPInvokeError()}");
        }

        var flags = WithoutFlush;
        var result = Control(directory, Shutdown, ref flags);
        var error = Marshal.GetLastPInvokeError();
        _ = Close(directory);
        if (result != 0)
        {
            throw new ChaosException($"cannot shut down the file system at {MountPoint}: error {error}");
        }
    }

    /// <summary>Whether it has lost its power.</summary>
    public bool RefusesWrites()
    {
        try
        {
            File.WriteAllText(Path.Combine(MountPoint, "probe"), "");
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Takes the volume off and on again, which recovers its journal; no process may use it.</summary>
    /// <remarks>
    /// While anybody still holds the old mount, such as a mount namespace that is just being set up, the kernel gives the file system
    /// back as it is: without power. Then it is taken off again.
    /// </remarks>
    public async Task RemountAsync()
    {
        var isDone = await Wait.UntilAsync(
            UnmountPatience,
            async () =>
            {
                await UnmountAsync();
                await Command.RunAsync("mount", "-o", "loop", _image, MountPoint);
                return !RefusesWrites();
            },
            CancellationToken.None,
            TimeSpan.FromMilliseconds(200));
        if (!isDone)
        {
            throw new ChaosException($"{MountPoint} is mounted again and still refuses writes: somebody holds the old mount");
        }
    }

    /// <summary>Takes free space away until hardly more than the given bytes are left.</summary>
    public async Task FillAsync(long bytesLeft)
    {
        // The file system needs blocks of its own for what it hands out, so the last part comes in smaller pieces.
        var piece = FreeBytes - bytesLeft;
        for (var n = 0; n < FillStepsMax && piece >= PieceBytesMin; n++)
        {
            var run = await Command.TryAsync(
                "fallocate", "-l", piece.ToString(CultureInfo.InvariantCulture), Path.Combine(MountPoint, $"{Ballast}{n}"));
            piece = run.ExitCode == 0 ? FreeBytes - bytesLeft : piece / 2;
        }
    }

    /// <summary>Gives the space back.</summary>
    public void Free()
    {
        foreach (var file in Directory.EnumerateFiles(MountPoint, $"{Ballast}*"))
        {
            File.Delete(file);
        }
    }

    public long FreeBytes => new DriveInfo(MountPoint).AvailableFreeSpace;

    public async ValueTask DisposeAsync()
    {
        await UnmountAsync();
        Undertaker.TearUp(_will);
        File.Delete(_image);
    }

    private async Task UnmountAsync()
    {
        Command? last = null;
        var isDone = await Wait.UntilAsync(
            UnmountPatience,
            async () => (last = await Command.TryAsync("umount", MountPoint)).ExitCode == 0,
            CancellationToken.None,
            TimeSpan.FromMilliseconds(200));
        if (!isDone)
        {
            throw new ChaosException($"umount {MountPoint}: {last?.Error.Trim()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int file, nuint request, ref uint argument);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int file);
}
