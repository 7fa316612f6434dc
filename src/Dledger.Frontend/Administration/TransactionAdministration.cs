using Dledger.Broker;
using Dledger.Broker.Topics;
using Dledger.Broker.Transactions;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Frontend.Messaging.Consuming;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Administration;

/// <summary>What the administration does with transactions, on the leader.</summary>
internal sealed class TransactionAdministration(BrokerNode broker, FrontendOptions options)
{
    public async ValueTask<LocalOutcome<ListTransactionsResponse>> ListAsync(
        ListTransactionsRequest request, CancellationToken cancellationToken)
    {
        var (transactions, failure) = await broker.ListTransactionsAsync(
            new TransactionSelection(
                request.Topic.Length == 0 ? null : request.Topic,
                request.Discarded,
                request.After.Length == 0 ? null : request.After,
                request.CountMax == 0 ? TransactionSelection.CountLimit : request.CountMax),
            cancellationToken);
        if (failure is { } failed)
        {
            return failed;
        }

        var response = new ListTransactionsResponse { Status = StatusMapping.AdminOk() };
        response.Transactions.AddRange(transactions.Select(ToWire));
        return response;
    }

    public async ValueTask<LocalOutcome<ShowTransactionResponse>> ShowAsync(
        ShowTransactionRequest request, CancellationToken cancellationToken)
    {
        var (content, failure) = await broker.ShowTransactionAsync(request.TransactionId, cancellationToken);
        if (content is null)
        {
            return failure!.Value;
        }

        var response = new ShowTransactionResponse
        {
            Status = StatusMapping.AdminOk(),
            Transaction = ToWire(content.Transaction),
        };
        response.Messages.AddRange(content.Messages.Select(message => DeliveryEncoder.Encode(
            message,
            new Wire.Resource { Name = content.Transaction.Topic },
            "",
            options.FindNode(options.Self)?.ClientAddress ?? "")));
        return response;
    }

    public async ValueTask<LocalOutcome<EndTransactionsResponse>> EndAsync(
        EndTransactionsRequest request, CancellationToken cancellationToken)
    {
        if (request.Resolution is not (Wire.TransactionResolution.Commit or Wire.TransactionResolution.Rollback))
        {
            return new BrokerFailure(BrokerError.InvalidArgument, "the field 'resolution' is neither COMMIT nor ROLLBACK");
        }

        var resolution = (TransactionResolution)(int)request.Resolution;
        var failure = request.DryRun
            ? await broker.CheckEndTransactionsAsync(request.TransactionIds, resolution, cancellationToken)
            : await broker.EndTransactionsAsync(
                request.TransactionIds, resolution, TransactionDecider.Operator, cancellationToken);
        return failure is { } failed ? failed : new EndTransactionsResponse { Status = StatusMapping.AdminOk() };
    }

    public async ValueTask<LocalOutcome<AlterTransactionChecksResponse>> AlterChecksAsync(
        AlterTransactionChecksRequest request, CancellationToken cancellationToken)
    {
        var change = new TopicChange
        {
            Name = request.Topic,
            FirstCheck = TimeOf(request.FirstCheck),
            CheckInterval = TimeOf(request.Interval),
            CheckCountMax = request.CountMax == 0 ? null : request.CountMax,
            Webhook = request.HasWebhookUrl ? new TransactionWebhook(request.WebhookUrl, request.WebhookSecret) : null,
        };
        if (change != new TopicChange { Name = request.Topic }
            && await broker.UpdateTopicAsync(change, cancellationToken) is { } failure)
        {
            return failure;
        }

        if (broker.FindTopic(request.Topic) is not { } topic)
        {
            return new BrokerFailure(BrokerError.TopicNotFound, $"the topic '{request.Topic}' does not exist");
        }

        return new AlterTransactionChecksResponse
        {
            Status = StatusMapping.AdminOk(),
            Settings = new TransactionCheckSettings
            {
                FirstCheck = Duration.FromTimeSpan(topic.Settings.Checks.First),
                Interval = Duration.FromTimeSpan(topic.Settings.Checks.Interval),
                CountMax = topic.Settings.Checks.CountMax,
                WebhookUrl = topic.Settings.Webhook.Url,
            },
        };
    }

    private static TimeSpan? TimeOf(Duration? duration) => duration is null ? null : WireTime.ToTimeSpan(duration);

    private static Transaction ToWire(TransactionView view) => new()
    {
        TransactionId = view.TransactionId,
        Topic = view.Topic,
        MessageId = view.MessageId,
        MessageCount = view.MessageCount,
        StoredAt = WireTime.ToTimestamp(view.StoredAtMicroseconds),
        Checks = view.Checks,
        NextCheckAt = view.NextCheckAtMicroseconds is { } next ? WireTime.ToTimestamp(next) : null,
        State = view.Decision switch
        {
            TransactionDecision.None => TransactionState.TransactionOpen,
            TransactionDecision.RolledBack => TransactionState.TransactionRolledBack,
            TransactionDecision.ChecksUsedUp => TransactionState.TransactionChecksUsedUp,
            TransactionDecision.Forgotten => TransactionState.TransactionForgotten,
            _ => TransactionState.Unspecified,
        },
        DecidedBy = (TransactionDeciderKind)(int)view.Decider,
        DecidedAt = view.DecidedAtMicroseconds is { } decided ? WireTime.ToTimestamp(decided) : null,
    };
}
