using System.Runtime.InteropServices;

namespace Dledger.Chaos.Machines;

/// <summary>Signals to processes that this run has started.</summary>
internal static partial class Signals
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <summary>False when the process is gone.</summary>
    public static bool Send(int processId, int signal) => processId > 1 && SendSignal(processId, signal) == 0;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int processId, int signal);
}
