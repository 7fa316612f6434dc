using Dledger.Broker.Commands;
using Dledger.Broker.Naming;
using Dledger.Broker.Proposals;
using Dledger.Broker.StateMachine;
using Dledger.Storage.Records;

namespace Dledger.Broker.Idempotence;

/// <summary>Makes and lists producers for callers. Any thread.</summary>
internal sealed class ProducerService(BrokerCalls calls)
{
    public async ValueTask<InitProducerOutcome> InitAsync(string name, CancellationToken cancellationToken)
    {
        if ((ProducerRules.CheckName(name) is { } violation ? BrokerFailure.Of(violation) : calls.CheckServing()) is { } refusal)
        {
            return new InitProducerOutcome(refusal);
        }

        var command = new InitProducerCommand(name, (long)calls.Options.ProducerExpiry.TotalMicroseconds);
        return await calls.ProposeRecordsAsync(
            ControlRecord.Encode(RecordKind.InitProducer, command.Encode()),
            1,
            static failure => new InitProducerOutcome(failure),
            cancellationToken);
    }

    public ValueTask<(IReadOnlyList<ProducerDescription>? Producers, BrokerFailure? Failure)> ListAsync(
        CancellationToken cancellationToken) =>
        calls.LookAsync<(IReadOnlyList<ProducerDescription>?, BrokerFailure?)>(
            state => ([.. state.Producers.All.Select(producer => Describe(state, producer))], null),
            static failure => (null, failure),
            cancellationToken);

    private static ProducerDescription Describe(BrokerState state, ProducerState producer) => new(
        producer.Id,
        producer.Name,
        producer.Epoch,
        producer.UsedAt,
        [
            .. producer.Topics.Values
                .Select(sequence => new ProducerProgress(state.Topics.Find(sequence.TopicId)!.View.Name, sequence.Last))
                .OrderBy(progress => progress.Topic, StringComparer.Ordinal),
        ]);
}
