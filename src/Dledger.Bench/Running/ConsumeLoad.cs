using Dledger.Bench.Measuring;
using Dledger.Bench.Targets;

namespace Dledger.Bench.Running;

/// <summary>Receives messages and acknowledges them, or gives them back first: one worker for each consumer.</summary>
public sealed class ConsumeLoad : IBenchLoad
{
    private const long PauseAfterFailure = 100_000_000;

    /// <summary>How long after the end it waits for what was sent, in nanoseconds: longer than sends may take to end.</summary>
    private const long DrainMax = 20_000_000_000;

    // The phase ends that much late when nothing comes any more.
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DrainWait = TimeSpan.FromMilliseconds(100);

    private readonly IBenchClock _clock;
    private readonly ConsumeShape _shape;
    private readonly IReadOnlyList<IBenchConsumer> _consumers;
    private readonly uint _run;
    private long _received;
    private long _finished;

    /// <param name="name">The row in tables.</param>
    /// <param name="clock">Of the run.</param>
    /// <param name="shape">How to receive.</param>
    /// <param name="consumers">Each used by one worker.</param>
    /// <param name="run">Number of the run whose messages have a time.</param>
    public ConsumeLoad(string name, IBenchClock clock, ConsumeShape shape, IReadOnlyList<IBenchConsumer> consumers, uint run)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(shape.CountMax, 1, nameof(shape));
        ArgumentOutOfRangeException.ThrowIfZero(consumers.Count, nameof(consumers));
        (_clock, _shape, _consumers, _run) = (clock, shape, consumers, run);
        Meter = new LoadMeter(name, consumers.Count, shape.CountMax);
    }

    /// <inheritdoc/>
    public LoadMeter Meter { get; }

    /// <inheritdoc/>
    public bool EndsPhase => _shape.MessagesMax is not null;

    /// <inheritdoc/>
    public async Task RunAsync(LoadWindow window, CancellationToken cancellationToken)
    {
        await Task.WhenAll(Enumerable.Range(0, _consumers.Count)
            .Select(worker => Task.Run(() => WorkAsync(worker, window, cancellationToken), CancellationToken.None)));
        if (_shape.Follows is { } sent && sent.Acknowledged - Volatile.Read(ref _received) is var missing && missing > 0
            && !cancellationToken.IsCancellationRequested)
        {
            Meter.Failed(new MessageMissingException(), missing);
        }
    }

    private async Task WorkAsync(int worker, LoadWindow window, CancellationToken cancellationToken)
    {
        try
        {
            for (var now = _clock.Now; !IsOver(now, window); now = _clock.Now)
            {
                try
                {
                    await ReceiveAsync(worker, now, window, cancellationToken);
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    Meter.Failed(exception);
                    await _clock.WaitUntilAsync(_clock.Now + PauseAfterFailure, cancellationToken);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The run was interrupted; what it has counted stays.
        }
    }

    private async Task ReceiveAsync(int worker, long begun, LoadWindow window, CancellationToken cancellationToken)
    {
        var rest = TimeSpan.FromMicroseconds((window.End - begun) / 1_000);
        var wait = rest < DrainWait ? DrainWait : rest < WaitMax ? rest : WaitMax;
        var delivery = await _consumers[worker].ReceiveAsync(_shape.CountMax, wait, cancellationToken);
        if (delivery.Count == 0)
        {
            return;
        }

        var bytes = Look(worker, delivery);
        Interlocked.Add(ref _received, delivery.Count);
        if (_shape.Returns > 0 && delivery.Attempt(0) <= _shape.Returns)
        {
            await delivery.ReturnAsync(cancellationToken);
        }
        else
        {
            await delivery.AckAsync(cancellationToken);
            Interlocked.Add(ref _finished, delivery.Count);
        }

        var ended = _clock.Now;
        if (_shape.Latency == ConsumeLatency.Call)
        {
            Meter.Count(worker, begun, ended, delivery.Count, bytes);
        }
        else
        {
            Meter.CountReceived(ended, delivery.Count, bytes);
        }

        if (IsFinished)
        {
            // Here and not when all workers have noticed: some of them wait for messages that nobody sends.
            window.Close(ended);
        }
    }

    private long Look(int worker, IBenchDelivery delivery)
    {
        var now = _clock.Now;
        var bytes = 0L;
        for (var i = 0; i < delivery.Count; i++)
        {
            var body = delivery.Body(i);
            bytes += body.Length;
            if (_shape.Latency == ConsumeLatency.EndToEnd && MessageStamp.TryRead(body, _run, out var intended))
            {
                Meter.Latency(worker, intended, now);
            }
        }

        return bytes;
    }

    private bool IsFinished => _shape.MessagesMax is { } max && Volatile.Read(ref _finished) >= max;

    private bool IsOver(long now, LoadWindow window) =>
        IsFinished
        || (now >= window.End
            && (_shape.Follows is not { } sent
                || now >= window.End + DrainMax
                || (sent.IsOver && Volatile.Read(ref _received) >= sent.Acknowledged)));
}
