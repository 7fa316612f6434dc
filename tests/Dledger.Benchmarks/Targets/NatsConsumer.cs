using Dledger.Bench.Targets;
using NATS.Client.Core;
using NATS.Client.JetStream;

namespace Dledger.Benchmarks.Targets;

/// <summary>Pulls ahead of what it is asked for, as the client's own loop does, and hands out what has come.</summary>
internal sealed class NatsConsumer : IBenchConsumer, IBenchDelivery
{
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _closing = new();
    private readonly IAsyncEnumerator<INatsJSMsg<NatsMemoryOwner<byte>>> _messages;
    private readonly List<INatsJSMsg<NatsMemoryOwner<byte>>> _delivered = [];
    private Task<bool>? _next;

    /// <param name="consumer">Connected to the node that leads it.</param>
    /// <param name="aheadMax">Messages that are asked for in advance.</param>
    public NatsConsumer(INatsJSConsumer consumer, int aheadMax) =>
        _messages = consumer
            .ConsumeAsync<NatsMemoryOwner<byte>>(opts: new NatsJSConsumeOpts { MaxMsgs = aheadMax }, cancellationToken: _closing.Token)
            .GetAsyncEnumerator(_closing.Token);

    public int Count => _delivered.Count;

    public async Task<IBenchDelivery> ReceiveAsync(int countMax, TimeSpan wait, CancellationToken cancellationToken)
    {
        Clear();
        while (_delivered.Count < countMax)
        {
            _next ??= _messages.MoveNextAsync().AsTask();
            if (!_next.IsCompleted)
            {
                if (_delivered.Count > 0 || !await ComesAsync(_next, wait, cancellationToken))
                {
                    break;
                }
            }

            if (!await _next)
            {
                throw new InvalidOperationException("the consumer has ended");
            }

            _next = null;
            _delivered.Add(_messages.Current);
        }

        return this;
    }

    public ReadOnlySpan<byte> Body(int index) => _delivered[index].Data.Span;

    public int Attempt(int index) => (int)(_delivered[index].Metadata?.NumDelivered ?? 0);

    // Sent and not answered: what a NATS client does unless it is asked for a confirmed acknowledgement of each message.
    public async Task AckAsync(CancellationToken cancellationToken)
    {
        foreach (var message in _delivered)
        {
            await message.AckAsync(cancellationToken: cancellationToken);
        }
    }

    public async Task ReturnAsync(CancellationToken cancellationToken)
    {
        foreach (var message in _delivered)
        {
            await message.NakAsync(cancellationToken: cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Clear();
        await _closing.CancelAsync();
        try
        {
            if (_next is not null)
            {
                await _next.WaitAsync(ClosePatience);
            }
        }
        catch (OperationCanceledException)
        {
            // Its end was asked for.
        }

        await _messages.DisposeAsync();
        _closing.Dispose();
    }

    private static async Task<bool> ComesAsync(Task next, TimeSpan wait, CancellationToken cancellationToken)
    {
        try
        {
            await next.WaitAsync(wait, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private void Clear()
    {
        foreach (var message in _delivered)
        {
            message.Data.Dispose();
        }

        _delivered.Clear();
    }
}
