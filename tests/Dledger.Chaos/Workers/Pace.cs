using System.Threading.Channels;

namespace Dledger.Chaos.Workers;

/// <summary>Hands out turns at a steady rate. Turns that nobody takes in time are lost, so a stall is not made up for.</summary>
internal sealed class Pace
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    private readonly Channel<bool> _turns;
    private readonly double _perTick;

    /// <param name="perSecond">Turns a second.</param>
    public Pace(double perSecond)
    {
        _perTick = perSecond * Tick.TotalSeconds;
        _turns = Channel.CreateBounded<bool>(new BoundedChannelOptions(Math.Max(1, (int)Math.Ceiling(_perTick)))
        {
            FullMode = BoundedChannelFullMode.DropWrite,
        });
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Tick);
        var owed = 0.0;
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                for (owed += _perTick; owed >= 1; owed--)
                {
                    _turns.Writer.TryWrite(true);
                }
            }
        }
        catch (OperationCanceledException)
        {
            _turns.Writer.TryComplete();
        }
    }

    /// <summary>Waits for a turn; false when there are no more.</summary>
    public async ValueTask<bool> TakeAsync()
    {
        while (await _turns.Reader.WaitToReadAsync())
        {
            if (_turns.Reader.TryRead(out _))
            {
                return true;
            }
        }

        return false;
    }
}
