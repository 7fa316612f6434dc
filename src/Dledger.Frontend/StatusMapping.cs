using Dledger.Broker;
using Dledger.Broker.Naming;
using Dledger.Protocol.Admin.V1;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend;

/// <summary>The one place that turns outcomes into codes of the wire protocol and of the administration.</summary>
/// <remarks>
/// Clients act on the code. TOO_MANY_REQUESTS makes them back off, INVALID_RECEIPT_HANDLE ends the retries of an ack,
/// every other failure is tried again. HA_NOT_AVAILABLE says that nothing was stored; SLAVE_PERSISTENCE_TIMEOUT and
/// PROXY_TIMEOUT that the message may appear once. Table of codes: RocketMQ 5, <c>Code</c> of definition.proto.
/// </remarks>
internal static class StatusMapping
{
    public static readonly Wire.Status Ok = Status(Wire.Code.Ok, "OK");

    /// <summary>A status; never shared with a caller that changes it.</summary>
    public static Wire.Status Status(Wire.Code code, string message) => new() { Code = code, Message = message };

    public static Wire.Status Of(BrokerFailure failure) => Status(CodeOf(failure), failure.Detail);

    public static Wire.Status Of(Violation violation) => Status(CodeOf(violation.Rule), violation.Detail);

    public static Wire.Code CodeOf(BrokerFailure failure) => failure.Error switch
    {
        BrokerError.NotLeader => Wire.Code.HaNotAvailable,
        BrokerError.DiskFull => Wire.Code.TooManyRequests,
        BrokerError.Busy => Wire.Code.TooManyRequests,
        BrokerError.OutcomeUnknown => Wire.Code.SlavePersistenceTimeout,
        BrokerError.Unavailable => Wire.Code.HaNotAvailable,
        BrokerError.Stopping => Wire.Code.HaNotAvailable,
        BrokerError.TopicNotFound => Wire.Code.TopicNotFound,
        BrokerError.GroupNotFound => Wire.Code.ConsumerGroupNotFound,
        BrokerError.AlreadyExists => Wire.Code.BadRequest,
        BrokerError.MessageTypeMismatch => Wire.Code.MessagePropertyConflictWithType,
        BrokerError.InvalidHandle => Wire.Code.InvalidReceiptHandle,
        BrokerError.InvalidTransaction => Wire.Code.InvalidTransactionId,
        BrokerError.TooLarge => failure.Rule == BrokenRule.None
            ? Wire.Code.PayloadTooLarge
            : CodeOf(failure.Rule),
        BrokerError.InvalidArgument => CodeOf(failure.Rule),
        BrokerError.SubscriptionMismatch => Wire.Code.BadRequest,

        BrokerError.ProducerFenced => Wire.Code.Forbidden,
        BrokerError.ProducerUnknown => Wire.Code.NotFound,
        BrokerError.SequenceOutOfOrder => Wire.Code.PreconditionFailed,
        BrokerError.OffsetNotFound => Wire.Code.OffsetNotFound,
        BrokerError.Unsupported => Wire.Code.NotImplemented,
        BrokerError.MessageNotFound or BrokerError.RouteNotFound => Wire.Code.NotFound,
        BrokerError.QuotaExceeded => Wire.Code.TooManyRequests,
        _ => Wire.Code.InternalServerError,
    };

    public static Wire.Code CodeOf(BrokenRule rule) => rule switch
    {
        BrokenRule.TopicName => Wire.Code.IllegalTopic,
        BrokenRule.GroupName => Wire.Code.IllegalConsumerGroup,
        BrokenRule.BodyTooLarge => Wire.Code.MessageBodyTooLarge,
        BrokenRule.BodyEmpty => Wire.Code.MessageBodyEmpty,
        BrokenRule.PropertiesTooLarge => Wire.Code.MessagePropertiesTooLarge,
        BrokenRule.PropertyKey => Wire.Code.IllegalMessagePropertyKey,
        BrokenRule.Tag => Wire.Code.IllegalMessageTag,
        BrokenRule.Key => Wire.Code.IllegalMessageKey,
        BrokenRule.MessageGroup => Wire.Code.IllegalMessageGroup,
        BrokenRule.MessageId => Wire.Code.IllegalMessageId,
        BrokenRule.DeliveryTime => Wire.Code.IllegalDeliveryTime,
        BrokenRule.Batch => Wire.Code.MessageCorrupted,
        BrokenRule.InvisibleDuration => Wire.Code.IllegalInvisibleTime,
        BrokenRule.FilterExpression => Wire.Code.IllegalFilterExpression,
        BrokenRule.ClientProperties => Wire.Code.InvalidClientProperties,
        BrokenRule.ClientId => Wire.Code.ClientIdRequired,
        BrokenRule.Offset => Wire.Code.IllegalOffset,
        BrokenRule.LiteTopic => Wire.Code.IllegalLiteTopic,
        BrokenRule.LiteTopicQuota => Wire.Code.LiteTopicQuotaExceeded,
        BrokenRule.LiteSubscriptionQuota => Wire.Code.LiteSubscriptionQuotaExceeded,
        BrokenRule.MessageTypeConflict => Wire.Code.MessagePropertyConflictWithType,
        _ => Wire.Code.BadRequest,
    };

    public static AdminStatus AdminOk() => new() { Code = AdminCode.AdminOk };

    public static AdminStatus AdminOf(BrokerFailure failure) => failure.Error switch
    {
        BrokerError.NotLeader or BrokerError.Unavailable or BrokerError.Stopping => Admin(
            AdminCode.AdminUnavailable, failure, "Look at 'dledger cluster status', then try again."),
        BrokerError.DiskFull => Admin(AdminCode.AdminBusy, failure, "Free space on that disk."),
        BrokerError.Busy => Admin(AdminCode.AdminBusy, failure, "Try again in a moment."),
        BrokerError.QuotaExceeded => Admin(AdminCode.AdminBusy, failure, "Wait, or raise the quota."),
        BrokerError.OutcomeUnknown => Admin(
            AdminCode.AdminOutcomeUnknown, failure, "Look whether the change was made before trying again."),
        BrokerError.TopicNotFound => Admin(
            AdminCode.AdminNotFound, failure, "'dledger topic list' shows the topics."),
        BrokerError.GroupNotFound => Admin(
            AdminCode.AdminNotFound, failure, "'dledger group list' shows the groups."),
        BrokerError.OffsetNotFound => Admin(
            AdminCode.AdminNotFound, failure, "'dledger group describe' shows what the group reads."),
        BrokerError.InvalidTransaction => Admin(
            AdminCode.AdminNotFound, failure, "'dledger txn list' shows the open transactions."),
        BrokerError.MessageNotFound => Admin(AdminCode.AdminNotFound, failure, ""),
        BrokerError.RouteNotFound => Admin(AdminCode.AdminNotFound, failure, "'dledger topic route list' shows the routes."),
        BrokerError.AlreadyExists => Admin(AdminCode.AdminAlreadyExists, failure, "Choose another name."),
        BrokerError.InvalidArgument or BrokerError.TooLarge or BrokerError.MessageTypeMismatch
            or BrokerError.InvalidHandle or BrokerError.SubscriptionMismatch or BrokerError.Unsupported or BrokerError.ProducerFenced
            or BrokerError.ProducerUnknown or BrokerError.SequenceOutOfOrder => Admin(
                AdminCode.AdminInvalidArgument, failure, "Correct the value and try again."),
        _ => Admin(AdminCode.AdminInternal, failure, ""),
    };

    public static AdminStatus AdminOf(Violation violation) => AdminOf(BrokerFailure.Of(violation));

    private static AdminStatus Admin(AdminCode code, BrokerFailure failure, string hint) =>
        new() { Code = code, Message = failure.Detail, Hint = hint };
}
