namespace Dledger.Broker.Naming;

/// <summary>Which rule a request breaks. The front end maps each to one code of the wire protocol.</summary>
public enum BrokenRule
{
    None = 0,
    TopicName,
    GroupName,
    BodyTooLarge,
    BodyEmpty,
    PropertiesTooLarge,
    PropertyKey,
    Tag,
    Key,
    MessageGroup,
    MessageId,
    DeliveryTime,
    TransactionRecovery,
    Batch,
    InvisibleDuration,
    FilterExpression,
    ClientProperties,
    ClientId,
    QueueCount,
    MaxAttempts,
    Backoff,
    MessageTypes,
    AttemptId,
    Retention,
    IdWindow,
    ProducerName,
    Sequence,
}
