using Dledger.Chaos.Histories;

namespace Dledger.Chaos.Checking;

/// <summary>A history, sorted by what the invariants ask for. Built once, then only read.</summary>
internal sealed class Observations
{
    private readonly Dictionary<string, HistoryEntry> _open = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _lastAcks = new(StringComparer.Ordinal);
    private readonly Dictionary<long, DeliveryRecord> _byHandle = [];
    private readonly Dictionary<string, FaultRecord> _running = new(StringComparer.Ordinal);

    public Observations(History history)
    {
        History = history;
        foreach (var entry in history.Entries)
        {
            Read(entry);
        }

        foreach (var (source, log) in Finals)
        {
            log.Sort((left, right) => (left.Queue, left.Offset).CompareTo((right.Queue, right.Offset)));
            if (source.Source == Served && source.Topic == history.Header.Topic)
            {
                FinalById = log.ToLookup(message => message.Id);
            }
        }
    }

    public const string Served = "served";

    public History History { get; }

    public HistoryHeader Header => History.Header;

    public Dictionary<string, SendRecord> Sends { get; } = new(StringComparer.Ordinal);

    public List<DeliveryRecord> Deliveries { get; } = [];

    /// <summary>What readers without a group were given, in order.</summary>
    public List<(string Reader, string Topic, Delivery Message)> Reads { get; } = [];

    public List<FaultRecord> Faults { get; } = [];

    /// <summary>Final reads: source (<see cref="Served"/> or <c>replica n</c>) and topic; each message once.</summary>
    public Dictionary<(string Source, string Topic), List<Delivery>> Finals { get; } = [];

    /// <summary>What the brokers served in the end, by id.</summary>
    public ILookup<string, Delivery> FinalById { get; private set; } = Array.Empty<Delivery>().ToLookup(message => message.Id);

    /// <summary>Ends of operations that had no invoke, or were invoked while one was open.</summary>
    public List<string> Misformed { get; } = [];

    /// <summary>Operations: function, phase, duration in ns, worker.</summary>
    public List<(HistoryEntry End, long Begin)> Operations { get; } = [];

    /// <summary>Operations that never ended.</summary>
    public IEnumerable<HistoryEntry> Unended => _open.Values;

    /// <summary>The final read of the topic under test.</summary>
    public IReadOnlyList<Delivery> FinalLog => Finals.GetValueOrDefault((Served, Header.Topic)) ?? [];

    private void Read(HistoryEntry entry)
    {
        switch (entry.Function)
        {
            case "fault":
                ReadFault(entry);
                break;
            case "final":
                ReadFinal(entry);
                break;
            case "try" when entry.Phase != "fail":
                Sends[entry.Id!].OpenAttempts++;
                break;
            case "node" or "try":
                break;
            default:
                ReadOperation(entry);
                break;
        }
    }

    private void ReadOperation(HistoryEntry entry)
    {
        var worker = entry.Worker!;
        if (entry.Phase == "invoke")
        {
            if (!_open.TryAdd(worker, entry))
            {
                Misformed.Add($"{worker} began {entry.Function} while {_open[worker].Function} was open");
            }

            if (entry.Function == "send")
            {
                Sends[entry.Id!] = new SendRecord
                {
                    Id = entry.Id!,
                    Worker = worker,
                    Topic = entry.Topic!,
                    Begin = entry.Time,
                };
            }

            return;
        }

        // One ack may end in several lines, one for each outcome; the first of them ends the operation.
        var begin = 0L;
        if (_open.Remove(worker, out var begun))
        {
            begin = begun.Time;
            Operations.Add((entry, begin));
            _lastAcks[worker] = begin;
        }
        else if (entry.Function != "ack" || !_lastAcks.TryGetValue(worker, out begin))
        {
            Misformed.Add($"{worker} ended {entry.Function} without a begin");
            return;
        }

        switch (entry.Function)
        {
            case "send":
                var send = Sends[entry.Id!];
                (send.End, send.Phase, send.Offset) = (entry.Time, entry.Phase, entry.Offset ?? 0);
                break;
            case "read":
                Reads.AddRange((entry.Messages ?? []).Select(message => (entry.Group!, entry.Topic!, message)));
                break;
            case "pop":
                ReadPop(entry, entry.Since ?? begin);
                break;
            case "ack" or "nack":
                ReadReceipts(entry, begin);
                break;
        }
    }

    private void ReadPop(HistoryEntry entry, long begin)
    {
        foreach (var message in entry.Messages ?? [])
        {
            var delivery = new DeliveryRecord
            {
                Group = entry.Group!,
                Topic = entry.Topic!,
                Message = message,
                Begin = begin,
                End = entry.Time,
                IsWholeAnswer = entry.Phase == "ok",
                VisibleFrom = begin + (entry.Invisible ?? 0),
                VisibleUntil = entry.Time + (entry.Invisible ?? 0),
            };
            Deliveries.Add(delivery);
            _byHandle[message.Handle] = delivery;
        }
    }

    private void ReadReceipts(HistoryEntry entry, long begin)
    {
        var receipt = new ReceiptRecord(entry.Function == "ack", begin, entry.Time, entry.Phase!);
        foreach (var message in entry.Messages ?? [])
        {
            if (!_byHandle.TryGetValue(message.Handle, out var delivery))
            {
                Misformed.Add($"{entry.Worker} answers for handle {message.Handle} that nobody got");
                continue;
            }

            delivery.Receipts.Add(receipt);
            if (!receipt.IsAck && receipt.Phase != "fail")
            {
                delivery.VisibleFrom = Math.Min(delivery.VisibleFrom, begin + (entry.Invisible ?? 0));
                delivery.VisibleUntil = receipt.Phase == "ok"
                    ? Math.Min(delivery.VisibleUntil, entry.Time + (entry.Invisible ?? 0))
                    : delivery.VisibleUntil;
            }
        }
    }

    private void ReadFinal(HistoryEntry entry)
    {
        if (entry.Messages is null)
        {
            return;
        }

        var source = (entry.Node is { } node ? $"replica {node}" : Served, entry.Topic!);
        if (!Finals.TryGetValue(source, out var log))
        {
            Finals[source] = log = [];
        }

        log.AddRange(entry.Messages);
    }

    private void ReadFault(HistoryEntry entry)
    {
        switch (entry.Phase)
        {
            case "start":
                var fault = new FaultRecord { Kind = entry.Kind!, Start = entry.Time };
                Faults.Add(fault);
                _running[entry.Kind!] = fault;
                break;
            case "heal" when _running.TryGetValue(entry.Kind!, out var healed):
                healed.Heal = entry.Time;
                healed.Bit = entry.Bit ?? false;
                break;
            case "end" when _running.TryGetValue(entry.Kind!, out var ended):
                ended.End = entry.Time;
                ended.Surprise = entry.Error ?? "";
                break;
        }
    }
}
