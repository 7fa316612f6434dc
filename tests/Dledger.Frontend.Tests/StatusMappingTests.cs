using Apache.Rocketmq.V2;
using Dledger.Broker;
using Dledger.Broker.Naming;
using Dledger.Protocol.Admin.V1;

namespace Dledger.Frontend.Tests;

public sealed class StatusMappingTests
{
    /// <summary>The table that clients rely on; a new outcome needs a line here.</summary>
    private static readonly Dictionary<BrokerError, (Code Code, AdminCode Admin)> Errors = new()
    {
        [BrokerError.None] = (Code.InternalServerError, AdminCode.AdminInternal),
        [BrokerError.NotLeader] = (Code.HaNotAvailable, AdminCode.AdminUnavailable),
        [BrokerError.Busy] = (Code.TooManyRequests, AdminCode.AdminBusy),
        [BrokerError.DiskFull] = (Code.TooManyRequests, AdminCode.AdminBusy),
        [BrokerError.OutcomeUnknown] = (Code.SlavePersistenceTimeout, AdminCode.AdminOutcomeUnknown),
        [BrokerError.Unavailable] = (Code.HaNotAvailable, AdminCode.AdminUnavailable),
        [BrokerError.Stopping] = (Code.HaNotAvailable, AdminCode.AdminUnavailable),
        [BrokerError.TopicNotFound] = (Code.TopicNotFound, AdminCode.AdminNotFound),
        [BrokerError.GroupNotFound] = (Code.ConsumerGroupNotFound, AdminCode.AdminNotFound),
        [BrokerError.AlreadyExists] = (Code.BadRequest, AdminCode.AdminAlreadyExists),
        [BrokerError.MessageTypeMismatch] = (Code.MessagePropertyConflictWithType, AdminCode.AdminInvalidArgument),
        [BrokerError.InvalidHandle] = (Code.InvalidReceiptHandle, AdminCode.AdminInvalidArgument),
        [BrokerError.InvalidTransaction] = (Code.InvalidTransactionId, AdminCode.AdminNotFound),
        [BrokerError.TooLarge] = (Code.PayloadTooLarge, AdminCode.AdminInvalidArgument),
        [BrokerError.InvalidArgument] = (Code.BadRequest, AdminCode.AdminInvalidArgument),
        [BrokerError.SubscriptionMismatch] = (Code.BadRequest, AdminCode.AdminInvalidArgument),

        [BrokerError.ProducerFenced] = (Code.Forbidden, AdminCode.AdminInvalidArgument),
        [BrokerError.ProducerUnknown] = (Code.NotFound, AdminCode.AdminInvalidArgument),
        [BrokerError.SequenceOutOfOrder] = (Code.PreconditionFailed, AdminCode.AdminInvalidArgument),
        [BrokerError.OffsetNotFound] = (Code.OffsetNotFound, AdminCode.AdminNotFound),
        [BrokerError.Unsupported] = (Code.NotImplemented, AdminCode.AdminInvalidArgument),
        [BrokerError.MessageNotFound] = (Code.NotFound, AdminCode.AdminNotFound),
        [BrokerError.QuotaExceeded] = (Code.TooManyRequests, AdminCode.AdminBusy),
        [BrokerError.RouteNotFound] = (Code.NotFound, AdminCode.AdminNotFound),
    };

    private static readonly Dictionary<BrokenRule, Code> Rules = new()
    {
        [BrokenRule.None] = Code.BadRequest,
        [BrokenRule.TopicName] = Code.IllegalTopic,
        [BrokenRule.GroupName] = Code.IllegalConsumerGroup,
        [BrokenRule.BodyTooLarge] = Code.MessageBodyTooLarge,
        [BrokenRule.BodyEmpty] = Code.MessageBodyEmpty,
        [BrokenRule.PropertiesTooLarge] = Code.MessagePropertiesTooLarge,
        [BrokenRule.PropertyKey] = Code.IllegalMessagePropertyKey,
        [BrokenRule.Tag] = Code.IllegalMessageTag,
        [BrokenRule.Key] = Code.IllegalMessageKey,
        [BrokenRule.MessageGroup] = Code.IllegalMessageGroup,
        [BrokenRule.MessageId] = Code.IllegalMessageId,
        [BrokenRule.DeliveryTime] = Code.IllegalDeliveryTime,
        [BrokenRule.TransactionRecovery] = Code.BadRequest,
        [BrokenRule.TransactionChecks] = Code.BadRequest,
        [BrokenRule.Webhook] = Code.BadRequest,
        [BrokenRule.Batch] = Code.MessageCorrupted,
        [BrokenRule.InvisibleDuration] = Code.IllegalInvisibleTime,
        [BrokenRule.FilterExpression] = Code.IllegalFilterExpression,
        [BrokenRule.ClientProperties] = Code.InvalidClientProperties,
        [BrokenRule.ClientId] = Code.ClientIdRequired,
        [BrokenRule.QueueCount] = Code.BadRequest,
        [BrokenRule.MaxAttempts] = Code.BadRequest,
        [BrokenRule.Backoff] = Code.BadRequest,
        [BrokenRule.MessageTypes] = Code.BadRequest,
        [BrokenRule.AttemptId] = Code.BadRequest,
        [BrokenRule.Retention] = Code.BadRequest,
        [BrokenRule.Mismatch] = Code.BadRequest,

        [BrokenRule.IdWindow] = Code.BadRequest,
        [BrokenRule.Quota] = Code.BadRequest,
        [BrokenRule.ProducerName] = Code.BadRequest,
        [BrokenRule.Sequence] = Code.BadRequest,
        [BrokenRule.QueueId] = Code.BadRequest,
        [BrokenRule.Offset] = Code.IllegalOffset,
        [BrokenRule.GroupMode] = Code.BadRequest,
        [BrokenRule.InFlight] = Code.BadRequest,
        [BrokenRule.Pause] = Code.BadRequest,
        [BrokenRule.Route] = Code.BadRequest,
        [BrokenRule.Dedup] = Code.BadRequest,
        [BrokenRule.Replay] = Code.BadRequest,
        [BrokenRule.Priority] = Code.BadRequest,
        [BrokenRule.MessageTypeConflict] = Code.MessagePropertyConflictWithType,
        [BrokenRule.LiteTopic] = Code.IllegalLiteTopic,
        [BrokenRule.LiteTopicQuota] = Code.LiteTopicQuotaExceeded,
        [BrokenRule.LiteSubscriptionQuota] = Code.LiteSubscriptionQuotaExceeded,
        [BrokenRule.LiteSettings] = Code.BadRequest,
    };

    [Fact]
    public void Every_outcome_of_the_broker_has_the_code_of_the_table()
    {
        foreach (var error in Enum.GetValues<BrokerError>())
        {
            var failure = new BrokerFailure(error, "why");

            Assert.Equal(Errors[error].Code, StatusMapping.Of(failure).Code);
            Assert.Equal(Errors[error].Admin, StatusMapping.AdminOf(failure).Code);
            Assert.Equal("why", StatusMapping.Of(failure).Message);
            Assert.Equal("why", StatusMapping.AdminOf(failure).Message);
        }
    }

    [Fact]
    public void Every_broken_rule_has_the_code_of_the_table_whoever_finds_it()
    {
        foreach (var rule in Enum.GetValues<BrokenRule>())
        {
            var violation = new Violation(rule, "why");

            Assert.Equal(Rules[rule], StatusMapping.Of(violation).Code);
            if (rule != BrokenRule.None)
            {
                Assert.Equal(Rules[rule], StatusMapping.Of(BrokerFailure.Of(violation)).Code);
            }
        }
    }

    [Fact]
    public void No_failure_is_ever_taken_for_success_or_left_unspecified()
    {
        var codes = Enum.GetValues<BrokerError>().Select(error => StatusMapping.Of(new BrokerFailure(error, "")).Code)
            .Concat(Enum.GetValues<BrokenRule>().Select(StatusMapping.CodeOf));

        Assert.All(codes, code => Assert.InRange((int)code, 40_000, 59_999));
    }
}
