using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Admin.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dledger.Client.Administration;

/// <summary>Lists, shows and settles transactions. Safe for any thread.</summary>
/// <remarks>Every call throws a <see cref="DledgerException"/> of a kind that says what became of it.</remarks>
public sealed class TransactionClient(DledgerChannel channel)
{
    /// <summary>Open transactions in the order of their sends, or discarded ones in the order of their decisions.</summary>
    /// <param name="topic">Of one topic; null: of all.</param>
    /// <param name="discarded">The discarded ones.</param>
    /// <param name="countMax">At most so many, 1 to 1000.</param>
    /// <param name="after">Goes on behind this one; null: from the start.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public async Task<IReadOnlyList<TransactionDescription>> ListAsync(
        string? topic, bool discarded, int countMax, string? after = null, CancellationToken cancellationToken = default)
    {
        var request = new ListTransactionsRequest
        {
            Topic = topic ?? "",
            Discarded = discarded,
            CountMax = countMax,
            After = after ?? "",
        };
        var response = await AskAsync(
            "Listing transactions",
            (admin, options) => admin.ListTransactionsAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return [.. response.Transactions.Select(Describe)];
    }

    /// <summary>One transaction with its messages, as far as the log has them.</summary>
    public async Task<(TransactionDescription Transaction, IReadOnlyList<TransactionMessage> Messages)> ShowAsync(
        string transactionId, CancellationToken cancellationToken = default)
    {
        var response = await AskAsync(
            "Showing the transaction",
            (admin, options) => admin.ShowTransactionAsync(new ShowTransactionRequest { TransactionId = transactionId }, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return (Describe(response.Transaction), [.. response.Messages.Select(message => new TransactionMessage(
            message.SystemProperties.MessageId,
            message.SystemProperties.HasTag ? message.SystemProperties.Tag : null,
            [.. message.SystemProperties.Keys],
            new SortedDictionary<string, string>(message.UserProperties, StringComparer.Ordinal),
            message.Body.ToByteArray()))]);
    }

    /// <summary>Makes the messages of all these visible in one step, or discards all of them; or nothing happens.</summary>
    /// <param name="transactionIds">1 to 256.</param>
    /// <param name="commits">Or rolls back.</param>
    /// <param name="isDryRun">Only asks what would become of it.</param>
    /// <param name="cancellationToken">Stops waiting; does not take it back.</param>
    public async Task EndAsync(
        IReadOnlyCollection<string> transactionIds,
        bool commits,
        bool isDryRun = false,
        CancellationToken cancellationToken = default)
    {
        var request = new EndTransactionsRequest
        {
            Resolution = commits
                ? Apache.Rocketmq.V2.TransactionResolution.Commit
                : Apache.Rocketmq.V2.TransactionResolution.Rollback,
            DryRun = isDryRun,
        };
        request.TransactionIds.AddRange(transactionIds);
        await AskAsync(
            commits ? "Committing" : "Rolling back",
            (admin, options) => admin.EndTransactionsAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Changes when the producers of a topic are asked; an alteration of nothing only asks.</summary>
    /// <returns>As it is now.</returns>
    public async Task<TransactionCheckDescription> AlterChecksAsync(
        TransactionCheckAlteration alteration, CancellationToken cancellationToken = default)
    {
        var request = new AlterTransactionChecksRequest
        {
            Topic = alteration.Topic,
            FirstCheck = alteration.FirstCheck is { } first ? Duration.FromTimeSpan(first) : null,
            Interval = alteration.Interval is { } interval ? Duration.FromTimeSpan(interval) : null,
            CountMax = alteration.CountMax ?? 0,
            WebhookSecret = alteration.WebhookSecret,
        };
        if (alteration.WebhookUrl is { } url)
        {
            request.WebhookUrl = url;
        }

        var response = await AskAsync(
            $"Altering the checks of topic '{alteration.Topic}'",
            (admin, options) => admin.AlterTransactionChecksAsync(request, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        var settings = response.Settings;
        return new TransactionCheckDescription(
            settings.FirstCheck.ToTimeSpan(), settings.Interval.ToTimeSpan(), settings.CountMax, settings.WebhookUrl);
    }

    private Task<T> AskAsync<T>(
        string operation,
        Func<TransactionAdminService.TransactionAdminServiceClient, CallOptions, AsyncUnaryCall<T>> call,
        Func<T, AdminStatus?> statusOf,
        CancellationToken cancellationToken) => channel.CallAsync(
            operation,
            async (node, options) =>
            {
                var answer = await call(node.Transactions, options).ConfigureAwait(false);
                return ResponseStatus.Judge(statusOf(answer), operation) is { } failure ? throw failure : answer;
            },
            cancellationToken);

    private static TransactionDescription Describe(Transaction transaction) => new(
        transaction.TransactionId,
        transaction.Topic,
        transaction.MessageId,
        transaction.MessageCount,
        transaction.StoredAt.ToDateTimeOffset(),
        transaction.Checks,
        (TransactionState)transaction.State,
        (TransactionDecider)transaction.DecidedBy)
    {
        NextCheckAt = transaction.NextCheckAt?.ToDateTimeOffset(),
        DecidedAt = transaction.DecidedAt?.ToDateTimeOffset(),
    };
}
