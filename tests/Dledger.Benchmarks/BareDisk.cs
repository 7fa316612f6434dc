using System.Diagnostics;
using Dledger.Storage.Disks;

namespace Dledger.Benchmarks;

/// <summary>What the disk alone takes for one write and one fdatasync at that moment: the yardstick of every latency beside it.</summary>
internal static class BareDisk
{
    private const int SyncCount = 500;

    /// <summary>Overwrites a file of zeros in steps of one frame; the sorted times in ticks of 100 ns.</summary>
    public static long[] Measure(int frameBytes)
    {
        var directory = Directory.CreateTempSubdirectory("dledger-bench-disk-").FullName;
        try
        {
            using var file = new PosixDisk(directory).Open("probe", DiskOpenMode.CreateNew);
            file.ZeroFill(0, (long)SyncCount * frameBytes);
            file.Sync();
            var frame = new byte[frameBytes];
            var times = new LatencyRecorder();
            for (var i = 0; i < SyncCount; i++)
            {
                var begin = Stopwatch.GetTimestamp();
                file.Write((long)i * frameBytes, frame);
                file.Sync();
                times.Record(Stopwatch.GetElapsedTime(begin));
            }

            return LatencyRecorder.Merge([times]);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
