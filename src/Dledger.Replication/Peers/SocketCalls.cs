using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Dledger.Replication.Peers;

/// <summary>Sending without waiting on a socket that waits otherwise, which the framework offers for no blocking socket.</summary>
internal static unsafe partial class SocketCalls
{
    private const int DoNotWait = 0x40;
    private const int NoSignal = 0x4000;

    private const int Interrupted = 4;

    /// <summary>Whether it can be done here.</summary>
    public static bool CanSendNow => OperatingSystem.IsLinux();

    /// <summary>Hands bytes to the kernel as far as it takes them at once; how many that were.</summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public static int SendNow(Socket socket, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            while (true)
            {
                var sent = Send(socket.SafeHandle, start, (nuint)bytes.Length, DoNotWait | NoSignal);
                if (sent >= 0)
                {
                    return (int)sent;
                }

                // A full buffer, or a broken connection: the blocking send of the rest waits for the one and names the other.
                if (Marshal.GetLastPInvokeError() != Interrupted)
                {
                    return 0;
                }
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(SafeSocketHandle socket, byte* bytes, nuint length, int flags);
}
