using Dledger.Bench.Targets;

namespace Dledger.Bench.Tests.Running;

/// <summary>A consumer whose receives bring what a test says; they are numbered from 0.</summary>
internal sealed class ScriptedConsumer(Func<int, IReadOnlyList<ScriptedConsumer.Message>> receive) : IBenchConsumer
{
    private int _receives;

    /// <summary>Bodies that were acknowledged.</summary>
    public List<byte[]> Acknowledged { get; } = [];

    /// <summary>Bodies that were given back.</summary>
    public List<byte[]> Returned { get; } = [];

    public Task<IBenchDelivery> ReceiveAsync(int countMax, TimeSpan wait, CancellationToken cancellationToken) =>
        Task.FromResult<IBenchDelivery>(new Delivery(this, receive(_receives++)));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal sealed record Message(byte[] Body, int Attempt);

    private sealed class Delivery(ScriptedConsumer consumer, IReadOnlyList<Message> messages) : IBenchDelivery
    {
        public int Count => messages.Count;

        public ReadOnlySpan<byte> Body(int index) => messages[index].Body;

        public int Attempt(int index) => messages[index].Attempt;

        public Task AckAsync(CancellationToken cancellationToken)
        {
            consumer.Acknowledged.AddRange(messages.Select(message => message.Body));
            return Task.CompletedTask;
        }

        public Task ReturnAsync(CancellationToken cancellationToken)
        {
            consumer.Returned.AddRange(messages.Select(message => message.Body));
            return Task.CompletedTask;
        }
    }
}
