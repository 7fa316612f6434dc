using Dledger.Client.Connections;
using Dledger.Client.Errors;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;

namespace Dledger.Client.Administration;

/// <summary>Lists and deletes lite topics. Safe for any thread.</summary>
public sealed class LiteTopicClient(DledgerChannel channel)
{
    /// <summary>Lite topics of a parent, by name, behind a name ("" for the first); at most so many, 1 to 1,000.</summary>
    public async Task<LiteTopicPage> ListAsync(
        string topic, string after = "", int countMax = 100, CancellationToken cancellationToken = default)
    {
        var response = await AskAsync(
            $"Listing the lite topics of '{topic}'",
            (lites, options) => lites.ListLiteTopicsAsync(
                new ListLiteTopicsRequest { Topic = topic, After = after, PageSize = countMax }, options),
            answer => answer.Status,
            cancellationToken).ConfigureAwait(false);
        return new LiteTopicPage(
            [
                .. response.LiteTopics.Select(lite => new LiteTopicDescription(
                    lite.Name,
                    lite.QueueId,
                    lite.MinOffset,
                    lite.MaxOffset,
                    lite.CreatedAt.ToDateTimeOffset(),
                    lite.LastActiveAt.ToDateTimeOffset())),
            ],
            response.HasMore);
    }

    /// <summary>Deletes a lite topic and its messages.</summary>
    public Task DeleteAsync(string topic, string liteTopic, CancellationToken cancellationToken = default) => AskAsync(
        $"Deleting lite topic '{liteTopic}' of '{topic}'",
        (lites, options) => lites.DeleteLiteTopicAsync(
            new DeleteLiteTopicRequest { Topic = topic, LiteTopic = liteTopic }, options),
        answer => answer.Status,
        cancellationToken);

    private Task<T> AskAsync<T>(
        string operation,
        Func<LiteAdminService.LiteAdminServiceClient, CallOptions, AsyncUnaryCall<T>> call,
        Func<T, AdminStatus?> statusOf,
        CancellationToken cancellationToken) => channel.CallAsync(
            operation,
            async (node, options) =>
            {
                var answer = await call(node.LiteTopics, options).ConfigureAwait(false);
                return ResponseStatus.Judge(statusOf(answer), operation) is { } failure ? throw failure : answer;
            },
            cancellationToken);
}
