using System.Runtime.InteropServices;
using System.Text;

namespace Dledger.Chaos.Networks;

/// <summary>The harness's end of a TAP device: Ethernet frames in and out. The device vanishes when this is closed.</summary>
/// <remarks>Linux, Documentation/networking/tuntap: without packet information each read and write is one frame.</remarks>
internal sealed partial class TapPort : IDisposable
{
    private const int OpenReadWrite = 2;
    private const int OpenCloseOnExec = 0x80000;
    private const uint SetInterface = 0x400454ca;
    private const short TapWithoutPacketHead = 0x1002;

    private readonly int _file;

    private TapPort(int file, string name)
    {
        _file = file;
        Name = name;
    }

    public string Name { get; }

    /// <exception cref="ChaosException">The machine does not allow it.</exception>
    public static TapPort Open(string name)
    {
        var file = OpenFile("/dev/net/tun", OpenReadWrite | OpenCloseOnExec);
        if (file < 0)
        {
            throw new ChaosException($"cannot open /dev/net/tun: error {Marshal.GetLastPInvokeError()}");
        }

        Span<byte> request = stackalloc byte[40];
        request.Clear();
        Encoding.ASCII.GetBytes(name, request);
        BitConverter.TryWriteBytes(request[16..], TapWithoutPacketHead);
        if (Control(file, SetInterface, ref request[0]) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            _ = CloseFile(file);
            throw new ChaosException($"cannot make the device {name}: error {error}");
        }

        return new TapPort(file, name);
    }

    /// <summary>Waits for one frame; 0 or less when the port is closed.</summary>
    public int Read(Span<byte> frame) => (int)ReadFile(_file, ref frame[0], frame.Length);

    /// <summary>Sends one frame; it is lost when the device is down, as on a cable.</summary>
    public void Write(ReadOnlySpan<byte> frame) =>
        WriteFile(_file, ref MemoryMarshal.GetReference(frame), frame.Length);

    public void Dispose() => _ = CloseFile(_file);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int file, nuint request, ref byte argument);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadFile(int file, ref byte buffer, nint count);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteFile(int file, ref byte buffer, nint count);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int CloseFile(int file);
}
