using System.Runtime.InteropServices;

namespace Dledger.Bench.Running;

/// <summary>A sleep below a millisecond, which the runtime does not have; elsewhere than on Linux the thread gives up its turn.</summary>
internal static partial class KernelTimer
{
    public static void Sleep(long nanoseconds)
    {
        if (nanoseconds <= 0)
        {
            return;
        }

        if (!OperatingSystem.IsLinux())
        {
            Thread.Yield();
            return;
        }

        var time = new TimeSpec { Seconds = (nint)(nanoseconds / 1_000_000_000), Nanoseconds = (nint)(nanoseconds % 1_000_000_000) };

        // A signal may end it early; the caller looks at the clock again.
        _ = NanoSleep(in time, 0);
    }

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in TimeSpec time, nint remaining);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
