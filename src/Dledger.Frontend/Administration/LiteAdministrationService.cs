using Dledger.Broker;
using Dledger.Broker.Lites;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;

namespace Dledger.Frontend.Administration;

/// <summary>The administration of lite topics. Any node answers; the leader knows.</summary>
public sealed class LiteAdministrationService : LiteAdminService.LiteAdminServiceBase
{
    private const int PageSizeDefault = 100;
    private const int PageSizeMax = 1_000;

    private readonly BrokerNode _broker;
    private readonly CallGuard _guard;
    private readonly LeaderCall<ListLiteTopicsRequest, ListLiteTopicsResponse> _list;
    private readonly LeaderCall<DeleteLiteTopicRequest, DeleteLiteTopicResponse> _delete;

    internal LiteAdministrationService(BrokerNode broker, CallGuard guard)
    {
        _broker = broker;
        _guard = guard;
        _list = new(
            "ListLiteTopics",
            true,
            ListAsync,
            (channels, leader, request, options) => channels.LiteTopics(leader).ListLiteTopicsAsync(request, options),
            status => new ListLiteTopicsResponse { Status = status });

        // Not repeated: a second try may find nothing, or a lite topic that was made since.
        _delete = new(
            "DeleteLiteTopic",
            false,
            DeleteAsync,
            (channels, leader, request, options) => channels.LiteTopics(leader).DeleteLiteTopicAsync(request, options),
            status => new DeleteLiteTopicResponse { Status = status });
    }

    /// <inheritdoc/>
    public override Task<ListLiteTopicsResponse> ListLiteTopics(ListLiteTopicsRequest request, ServerCallContext context) =>
        _guard.RunAsync(_list, request, context);

    /// <inheritdoc/>
    public override Task<DeleteLiteTopicResponse> DeleteLiteTopic(DeleteLiteTopicRequest request, ServerCallContext context) =>
        _guard.RunAsync(_delete, request, context);

    private static LiteTopic ToWire(LiteDescription lite) => new()
    {
        Name = lite.Name,
        QueueId = lite.QueueId,
        MinOffset = lite.Min.Value,
        MaxOffset = lite.Max.Value,
        CreatedAt = WireTime.ToTimestamp(lite.CreatedAtMicroseconds),
        LastActiveAt = WireTime.ToTimestamp(lite.LastActiveMicroseconds),
    };

    private async ValueTask<LocalOutcome<ListLiteTopicsResponse>> ListAsync(
        ListLiteTopicsRequest request, CancellationToken cancellationToken)
    {
        var size = request.PageSize == 0 ? PageSizeDefault : request.PageSize;
        if (size is < 1 or > PageSizeMax)
        {
            return new BrokerFailure(
                BrokerError.InvalidArgument, $"the field 'page_size' is {size}; 1 to {PageSizeMax} are allowed");
        }

        var page = await _broker.ListLitesAsync(request.Topic, request.After, size, cancellationToken);
        if (page.Failure is { } failure)
        {
            return failure;
        }

        var response = new ListLiteTopicsResponse { Status = StatusMapping.AdminOk(), HasMore = page.HasMore };
        response.LiteTopics.AddRange(page.Lites.Select(ToWire));
        return response;
    }

    private async ValueTask<LocalOutcome<DeleteLiteTopicResponse>> DeleteAsync(
        DeleteLiteTopicRequest request, CancellationToken cancellationToken) =>
        await _broker.DeleteLiteAsync(request.Topic, request.LiteTopic, cancellationToken) is { } failure
            ? failure
            : new DeleteLiteTopicResponse { Status = StatusMapping.AdminOk() };
}
