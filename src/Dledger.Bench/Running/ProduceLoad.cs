using Dledger.Bench.Measuring;
using Dledger.Bench.Targets;

namespace Dledger.Bench.Running;

/// <summary>Sends messages: a fixed number at a time, or at a fixed rate.</summary>
/// <remarks>
/// At a fixed rate a send's latency counts from the moment at which it should have begun. What had come due and could not begin until
/// <see cref="DrainMax"/> after the end is counted as failed, with the time that it has waited.
/// </remarks>
public sealed class ProduceLoad : IBenchLoad
{
    /// <summary>Most bytes of bodies that the workers hold.</summary>
    public const long BufferBytesMax = 256L << 20;

    private const long DrainMax = 10_000_000_000;
    private const long PauseAfterFailure = 100_000_000;

    // Somebody may close the window meanwhile.
    private const long WaitMax = 100_000_000;

    private readonly IBenchClock _clock;
    private readonly ProduceShape _shape;
    private readonly IReadOnlyList<IBenchProducer> _producers;
    private readonly uint _run;
    private long _acknowledged;
    private volatile bool _isOver;

    /// <param name="name">The row in tables.</param>
    /// <param name="clock">Of the run.</param>
    /// <param name="shape">How to send.</param>
    /// <param name="producers">The workers share them evenly.</param>
    /// <param name="run">Number of the run, by which its messages are known.</param>
    public ProduceLoad(string name, IBenchClock clock, ProduceShape shape, IReadOnlyList<IBenchProducer> producers, uint run)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(shape.InFlight, 1, nameof(shape));
        ArgumentOutOfRangeException.ThrowIfLessThan(shape.BatchCount, 1, nameof(shape));
        ArgumentOutOfRangeException.ThrowIfLessThan(shape.TopicCount, 1, nameof(shape));
        ArgumentOutOfRangeException.ThrowIfLessThan(shape.BodyBytes, MessageStamp.Bytes, nameof(shape));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            (long)shape.InFlight * shape.BatchCount * shape.BodyBytes, BufferBytesMax, nameof(shape));
        ArgumentOutOfRangeException.ThrowIfZero(producers.Count, nameof(producers));
        (_clock, _shape, _producers, _run) = (clock, shape, producers, run);
        Meter = new LoadMeter(name, shape.InFlight, shape.BatchCount);
    }

    /// <inheritdoc/>
    public LoadMeter Meter { get; }

    /// <inheritdoc/>
    public bool EndsPhase => _shape.MessagesMax is not null;

    /// <summary>Messages acknowledged so far, those of the warm-up among them.</summary>
    public long Acknowledged => Volatile.Read(ref _acknowledged);

    /// <summary>It sends no more.</summary>
    public bool IsOver => _isOver;

    /// <inheritdoc/>
    public async Task RunAsync(LoadWindow window, CancellationToken cancellationToken)
    {
        var sends = _shape.MessagesMax is { } messages ? (messages + _shape.BatchCount - 1) / _shape.BatchCount : long.MaxValue;
        var schedule = new SendSchedule(window, _shape.Rate / _shape.BatchCount, sends);
        await Task.WhenAll(Enumerable.Range(0, _shape.InFlight)
            .Select(worker => Task.Run(() => WorkAsync(worker, window, schedule, cancellationToken), CancellationToken.None)));
        _isOver = true;
        if (!cancellationToken.IsCancellationRequested)
        {
            CountUnsent(schedule);
        }
    }

    private async Task WorkAsync(int worker, LoadWindow window, SendSchedule schedule, CancellationToken cancellationToken)
    {
        var producer = _producers[worker % _producers.Count];
        var bodies = new BodyBatch(_shape.BatchCount, _shape.BodyBytes, _run, _shape.Repetition);
        try
        {
            while (_clock.Now < window.End + DrainMax && schedule.TryTake(_clock.Now, out var number, out var intended))
            {
                if (_shape.Rate is not null)
                {
                    if (!await WaitForAsync(intended, window, cancellationToken))
                    {
                        break;
                    }

                    Meter.Late(intended, _clock.Now);
                }

                bodies.Stamp(intended, number);
                try
                {
                    await producer.SendAsync(TopicOf(number), bodies.All, cancellationToken);
                    Meter.Count(worker, intended, _clock.Now, _shape.BatchCount, bodies.Bytes);
                    Interlocked.Add(ref _acknowledged, _shape.BatchCount);
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

    /// <summary>False when the window was closed before the time came.</summary>
    private async Task<bool> WaitForAsync(long intended, LoadWindow window, CancellationToken cancellationToken)
    {
        while (intended < window.End)
        {
            var now = _clock.Now;
            if (now >= intended)
            {
                return true;
            }

            await _clock.WaitUntilAsync(Math.Min(intended, now + WaitMax), cancellationToken);
        }

        return false;
    }

    private int TopicOf(long number) => _shape.TopicFirst + (int)(number % _shape.TopicCount);

    private void CountUnsent(SendSchedule schedule)
    {
        var now = _clock.Now;
        foreach (var intended in schedule.TakeRest(now))
        {
            Meter.Latency(0, intended, now);
            Meter.Failed(new SendOverdueException());
        }
    }
}
