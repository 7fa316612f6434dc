using System.Runtime.InteropServices;

namespace Dledger.Replication.Queues;

/// <summary>Sleeping until a word changes, by Linux' own call: what the framework's events do on top costs more than the call.</summary>
internal static unsafe partial class Futex
{
    private const int WaitPrivate = 0 | PrivateFlag;
    private const int WakePrivate = 1 | PrivateFlag;
    private const int PrivateFlag = 128;
    private const long NanosecondsPerMillisecond = 1_000_000;

    // The number of the call is another one on each architecture.
    private static readonly nint Number = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 202,
        Architecture.Arm64 => 98,
        _ => 0,
    };

    /// <summary>Whether this machine has it and we know how to call it.</summary>
    public static bool IsThere => OperatingSystem.IsLinux() && Number != 0;

    /// <summary>
    /// Sleeps while the word has the value, at most some milliseconds (-1: without limit). May return early and for no reason.
    /// </summary>
    public static void Wait(int* word, int value, int milliseconds)
    {
        if (milliseconds < 0)
        {
            Call(Number, word, WaitPrivate, value, null);
            return;
        }

        var time = new TimeSpec
        {
            Seconds = milliseconds / 1_000,
            Nanoseconds = milliseconds % 1_000 * NanosecondsPerMillisecond,
        };
        Call(Number, word, WaitPrivate, value, &time);
    }

    /// <summary>Wakes one thread that sleeps on the word.</summary>
    public static void WakeOne(int* word) => Call(Number, word, WakePrivate, 1, null);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Call(nint number, int* word, nint operation, nint value, TimeSpec* time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
