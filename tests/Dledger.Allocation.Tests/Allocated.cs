namespace Dledger.Allocation.Tests;

/// <summary>Counts what an operation allocates on the calling thread: exact, and the same on every machine.</summary>
internal static class Allocated
{
    private const int WarmUpCount = 50;
    private const int Count = 200;

    /// <summary>Bytes of each of many calls; fails when the calls differ so that no whole number comes out.</summary>
    public static long PerCall(Action operation)
    {
        for (var i = 0; i < WarmUpCount; i++)
        {
            operation();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Count; i++)
        {
            operation();
        }

        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(bytes % Count == 0, $"{bytes} bytes in {Count} calls: not every call allocates the same");
        return bytes / Count;
    }

    /// <summary>Bytes of one object of a type, which is how an inherent allocation is named.</summary>
    public static long By(Func<object> make)
    {
        object? made = null;
        var bytes = PerCall(() => made = make());
        GC.KeepAlive(made);
        return bytes;
    }
}
