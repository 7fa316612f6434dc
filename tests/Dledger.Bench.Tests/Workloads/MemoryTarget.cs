using System.Collections.Concurrent;
using System.Threading.Channels;
using Dledger.Bench.Targets;

namespace Dledger.Bench.Tests.Workloads;

/// <summary>A whole measured system in memory: each group has a channel for each topic, and plain readers the list of all messages.</summary>
internal sealed class MemoryTarget : IBenchTarget
{
    private readonly ConcurrentDictionary<(int Topic, int Group), Channel<Message>> _channels = new();
    private readonly ConcurrentDictionary<int, ConcurrentQueue<byte[]>> _logs = new();
    private int _groups;
    private int _sends;

    public string Name => "memory";

    public AckPromise Ack => new(AckDurability.PageCache, 1);

    public BenchAbilities Abilities => BenchAbilities.Groups | BenchAbilities.Return | BenchAbilities.PlainRead;

    public int SendCountMax => 10;

    public int ReceiveCountMax => 16;

    /// <summary>Messages that were sent to each topic.</summary>
    public IReadOnlyDictionary<int, int> Counts => _logs.ToDictionary(log => log.Key, log => log.Value.Count);

    /// <summary>Told the number of sends after each.</summary>
    public Action<int> Sent { get; set; } = _ => { };

    /// <summary>Producers and consumers that are open.</summary>
    public int OpenCount { get; private set; }

    public Task PrepareAsync(BenchLayout layout, CancellationToken cancellationToken)
    {
        _groups = layout.GroupCount;
        for (var topic = 0; topic < layout.TopicCount; topic++)
        {
            _logs.GetOrAdd(topic, _ => new());
            for (var group = 0; group < layout.GroupCount; group++)
            {
                _channels.GetOrAdd((topic, group), _ => Channel.CreateUnbounded<Message>());
            }
        }

        return Task.CompletedTask;
    }

    public Task DestroyAsync(CancellationToken cancellationToken)
    {
        _channels.Clear();
        _logs.Clear();
        return Task.CompletedTask;
    }

    public Task<IBenchProducer> OpenProducerAsync(CancellationToken cancellationToken)
    {
        OpenCount++;
        return Task.FromResult<IBenchProducer>(new Producer(this));
    }

    public Task<IBenchConsumer> OpenConsumerAsync(int topic, int group, CancellationToken cancellationToken)
    {
        OpenCount++;
        return Task.FromResult<IBenchConsumer>(new Consumer(this, _channels[(topic, group)]));
    }

    public Task<IBenchConsumer> OpenReaderAsync(int topic, CancellationToken cancellationToken)
    {
        OpenCount++;
        return Task.FromResult<IBenchConsumer>(new Reader(this, _logs[topic]));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed record Message(byte[] Body, int Attempt);

    private sealed class Producer(MemoryTarget target) : IBenchProducer
    {
        public async Task SendAsync(int topic, IReadOnlyList<ReadOnlyMemory<byte>> bodies, CancellationToken cancellationToken)
        {
            // Leaves the thread as a call over the network would.
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            Assert.InRange(bodies.Count, 1, target.SendCountMax);
            foreach (var body in bodies.Select(body => body.ToArray()))
            {
                target._logs[topic].Enqueue(body);
                for (var group = 0; group < target._groups; group++)
                {
                    target._channels[(topic, group)].Writer.TryWrite(new Message(body, 1));
                }
            }

            target.Sent(Interlocked.Increment(ref target._sends));
        }

        public ValueTask DisposeAsync()
        {
            target.OpenCount--;
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Consumer(MemoryTarget target, Channel<Message> channel) : IBenchConsumer
    {
        public async Task<IBenchDelivery> ReceiveAsync(int countMax, TimeSpan wait, CancellationToken cancellationToken)
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(wait);
            try
            {
                await channel.Reader.WaitToReadAsync(timeout.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Nothing came.
            }

            var messages = new List<Message>();
            while (messages.Count < countMax && channel.Reader.TryRead(out var message))
            {
                messages.Add(message);
            }

            return new Delivery(messages, channel);
        }

        public ValueTask DisposeAsync()
        {
            target.OpenCount--;
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Reader(MemoryTarget target, ConcurrentQueue<byte[]> log) : IBenchConsumer
    {
        private int _next;

        public async Task<IBenchDelivery> ReceiveAsync(int countMax, TimeSpan wait, CancellationToken cancellationToken)
        {
            await Task.Yield();
            var messages = log.Skip(_next).Take(countMax).Select(body => new Message(body, 1)).ToList();
            _next += messages.Count;
            return new Delivery(messages, null);
        }

        public ValueTask DisposeAsync()
        {
            target.OpenCount--;
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Delivery(List<Message> messages, Channel<Message>? channel) : IBenchDelivery
    {
        public int Count => messages.Count;

        public ReadOnlySpan<byte> Body(int index) => messages[index].Body;

        public int Attempt(int index) => messages[index].Attempt;

        public Task AckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task ReturnAsync(CancellationToken cancellationToken)
        {
            foreach (var message in messages)
            {
                channel!.Writer.TryWrite(message with { Attempt = message.Attempt + 1 });
            }

            return Task.CompletedTask;
        }
    }
}
