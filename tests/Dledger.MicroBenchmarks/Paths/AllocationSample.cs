using System.Collections.Concurrent;
using System.Diagnostics.Tracing;

namespace Dledger.MicroBenchmarks.Paths;

/// <summary>Which types a process allocates, by the runtime's own sample of one object in about 100 KiB. Safe for any thread.</summary>
internal sealed class AllocationSample : EventListener
{
    private const int GarbageCollectorKeyword = 1;
    private const int TypeNameField = 5;

    private readonly ConcurrentDictionary<string, int> _ticks = new();

    /// <summary>The share of each type, the largest first; begins anew.</summary>
    public IReadOnlyList<string> Take(int countMax)
    {
        var taken = _ticks.ToArray();
        _ticks.Clear();
        var all = Math.Max(1, taken.Sum(pair => pair.Value));
        return [.. taken.OrderByDescending(pair => pair.Value)
            .Take(countMax)
            .Select(pair => $"{100.0 * pair.Value / all,5:F1} %  {pair.Key}")];
    }

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "Microsoft-Windows-DotNETRuntime")
        {
            EnableEvents(eventSource, EventLevel.Verbose, (EventKeywords)GarbageCollectorKeyword);
        }
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        if (eventData.EventName?.StartsWith("GCAllocationTick", StringComparison.Ordinal) == true
            && eventData.Payload?[TypeNameField] is string type)
        {
            _ticks.AddOrUpdate(type, 1, static (_, count) => count + 1);
        }
    }
}
