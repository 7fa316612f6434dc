using Dledger.Chaos.Histories;
using Dledger.Chaos.Machines;
using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Client.Streaming;

namespace Dledger.Chaos.Workers;

/// <summary>A member of a group that receives over a stream and settles by spans or message by message, with the fates of all consumers.</summary>
/// <remarks>
/// A stream delivers ahead. What the history calls a pop is the taking of a delivery that may have waited here; <c>since</c> says from when
/// on it can have been leased.
/// </remarks>
internal sealed class StreamedConsumer : IAsyncDisposable
{
    private const long CreditBytes = 64 << 10;

    private static readonly TimeSpan Invisible = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan TakeTimeMax = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SettleTimeMax = Workload.OperationTimeMax - TimeSpan.FromSeconds(2);
    private static readonly TimeSpan NackDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LateBy = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ErrorDelay = TimeSpan.FromMilliseconds(50);

    private readonly Workload _workload;
    private readonly string _group;
    private readonly string _name;
    private readonly Random _random;
    private readonly Fates _fates;
    private readonly StreamConsumer _consumer;
    private readonly CreditWindow _window;
    private readonly Queue<Taken> _late = new();
    private int _names;

    public StreamedConsumer(Workload workload, string group, string name, DledgerChannel channel)
    {
        _workload = workload;
        _group = group;
        _name = name;
        _random = workload.RandomOf(name);
        _fates = new Fates(workload, group, _random);
        _consumer = new StreamConsumer(
            channel,
            group,
            Workload.Topic,
            new StreamConsumerOptions { BufferBytesMax = CreditBytes, BatchCountMax = 32, InvisibleDuration = Invisible });
        _window = new CreditWindow(CreditBytes, workload.Recorder.Now);
    }

    private string Worker => _names == 0 ? _name : $"{_name}-{_names}";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            if (await TakeAsync() is not { } taken)
            {
                await Wait.ForAsync(ErrorDelay, CancellationToken.None);
                continue;
            }

            await SettleAsync(taken);
            var limit = _workload.Recorder.Now - (long)(LateBy.TotalSeconds * 1e9);
            while (_late.TryPeek(out var late) && late.Place.LeaseEnd < limit)
            {
                await AckOneByOneAsync([_late.Dequeue()]);
            }
        }
    }

    public ValueTask DisposeAsync() => _consumer.DisposeAsync();

    // Null when the stream failed; nothing when nothing came.
    private async Task<IReadOnlyList<Taken>?> TakeAsync()
    {
        var entry = NewEntry("pop") with { Invisible = (long)(Invisible.TotalSeconds * 1e9) };
        _workload.Recorder.Record(entry with { Phase = "invoke" });
        using var limit = new CancellationTokenSource(TakeTimeMax);
        var begun = _workload.Recorder.Now;
        var end = CallEnd.Done;
        List<Taken> taken = [];
        try
        {
            var delivery = await _consumer.ReceiveAsync(limit.Token);
            var since = _window.Take(begun, delivery.Sum(message => (long)message.Body.Length));
            entry = entry with { Since = since };
            taken.AddRange(delivery.Select(message => new Taken(delivery, message, PlaceOf(message, since + entry.Invisible!.Value))));
        }
        catch (OperationCanceledException)
        {
            // Nothing came in time.
        }
        catch (DledgerException failure)
        {
            end = new CallEnd(Certainty.Unknown, failure.GetType().Name);
        }

        _workload.Recorder.Record(entry with
        {
            Phase = end.Phase,
            Error = end.Error,
            Messages = [.. taken.Select(one => one.Place)],
        });
        return IsOver(end) ? taken : null;
    }

    private async Task SettleAsync(IReadOnlyList<Taken> taken)
    {
        if (taken.Count == 0)
        {
            return;
        }

        if (!_workload.IsDraining && _random.Next(10) == 0)
        {
            await DoAsync("renew", taken, token => _consumer.RenewAsync(taken[0].Delivery, Invisible, token));
        }

        // Most deliveries end as a whole, which is what spans are there for.
        var isWhole = _random.Next(3) > 0 && taken.All(one => _fates.Forced(one.Place.Id) is null);
        var byFate = taken.ToLookup(one => isWhole ? Fate.Ack : _fates.Of(one.Place.Id, one.Place.Attempt));
        foreach (var one in byFate[Fate.Nack])
        {
            await DoAsync(
                "nack",
                [one],
                token => _consumer.RetryAsync(one.Delivery, one.Message, NackDelay, token),
                (long)(NackDelay.TotalSeconds * 1e9));
        }

        foreach (var one in byFate[Fate.AckLate])
        {
            _late.Enqueue(one);
        }

        var acked = byFate[Fate.Ack].ToList();
        if (acked.Count == taken.Count)
        {
            await DoAsync("ack", acked, token => _consumer.AckAsync(taken[0].Delivery, token));
        }
        else if (acked.Count > 0)
        {
            await AckOneByOneAsync(acked);
        }
    }

    // One operation; one line for each kind of outcome.
    private async Task AckOneByOneAsync(IReadOnlyList<Taken> taken)
    {
        var entry = NewEntry("ack");
        _workload.Recorder.Record(entry with { Phase = "invoke", Messages = [.. taken.Select(one => one.Place)] });
        var ends = await Task.WhenAll(taken.Select(one => EndOfAsync(token => _consumer.AckAsync(one.Delivery, one.Message, token))));
        foreach (var kind in taken.Zip(ends).GroupBy(pair => pair.Second, pair => pair.First.Place))
        {
            _workload.Recorder.Record(entry with { Phase = kind.Key.Phase, Error = kind.Key.Error, Messages = [.. kind] });
        }

        IsOver(ends.FirstOrDefault(end => end.Certainty == Certainty.Unknown, CallEnd.Done));
    }

    // Who is refused for several messages does not know which of them were settled all the same; who asks for another attempt, whether an
    // earlier try of his has had it.
    private async Task DoAsync(
        string function, IReadOnlyList<Taken> taken, Func<CancellationToken, Task> settle, long? invisible = null)
    {
        var entry = NewEntry(function) with { Messages = [.. taken.Select(one => one.Place)], Invisible = invisible };
        _workload.Recorder.Record(entry with { Phase = "invoke" });
        var end = await EndOfAsync(settle);
        end = end.Certainty == Certainty.Refused && (taken.Count > 1 || function != "ack") ? end with { Certainty = Certainty.Unknown } : end;
        _workload.Recorder.Record(entry with { Phase = end.Phase, Error = end.Error });
        IsOver(end);
    }

    private static async Task<CallEnd> EndOfAsync(Func<CancellationToken, Task> settle)
    {
        using var limit = new CancellationTokenSource(SettleTimeMax);
        try
        {
            await settle(limit.Token);
            return CallEnd.Done;
        }
        catch (RequestRefusedException refusal)
        {
            return new CallEnd(Certainty.Refused, refusal.GetType().Name);
        }
        catch (DledgerException failure)
        {
            return new CallEnd(Certainty.Unknown, failure.GetType().Name);
        }
        catch (OperationCanceledException)
        {
            return new CallEnd(Certainty.Unknown, "NOT_WAITED_FOR");
        }
    }

    private HistoryEntry NewEntry(string function) =>
        new() { Function = function, Worker = Worker, Group = _group, Topic = Workload.Topic };

    private Delivery PlaceOf(in StreamedMessage message, long leaseEnd)
    {
        var isWhole = MessageBody.TryDecode(message.Body.Span, out var id, out var sentTo)
            && sentTo == Workload.Topic && message.MessageId == id;
        return new Delivery(
            message.Offset, id, isWhole, message.Attempt, _workload.Recorder.NextHandle(), leaseEnd, message.QueueId);
    }

    private bool IsOver(CallEnd end)
    {
        _names += end.Certainty == Certainty.Unknown ? 1 : 0;
        return end.Certainty == Certainty.Done;
    }

    private sealed record Taken(StreamDelivery Delivery, StreamedMessage Message, Delivery Place);
}
