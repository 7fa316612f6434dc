using Dledger.Broker;
using Dledger.Broker.Lites;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend.Administration;

/// <summary>The administration of lite topics. Any node answers; the leader knows.</summary>
public sealed class LiteAdministrationService : LiteAdminService.LiteAdminServiceBase
{
    private const int PageSizeDefault = 100;
    private const int PageSizeMax = 1_000;

    private readonly BrokerNode _broker;
    private readonly LeaderRouter _router;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LiteCall<ListLiteTopicsRequest, ListLiteTopicsResponse> _list;
    private readonly LiteCall<DeleteLiteTopicRequest, DeleteLiteTopicResponse> _delete;

    internal LiteAdministrationService(BrokerNode broker, LeaderRouter router, TimeProvider time, ILogger logger)
    {
        _broker = broker;
        _router = router;
        _time = time;
        _logger = logger;
        _list = new(
            "ListLiteTopics",
            true,
            ListAsync,
            (client, request, options) => client.ListLiteTopicsAsync(request, options),
            status => new ListLiteTopicsResponse { Status = status });

        // Not repeated: a second try may find nothing, or a lite topic that was made since.
        _delete = new(
            "DeleteLiteTopic",
            false,
            DeleteAsync,
            (client, request, options) => client.DeleteLiteTopicAsync(request, options),
            status => new DeleteLiteTopicResponse { Status = status });
    }

    /// <inheritdoc/>
    public override Task<ListLiteTopicsResponse> ListLiteTopics(ListLiteTopicsRequest request, ServerCallContext context) =>
        RunAsync(_list, request, context);

    /// <inheritdoc/>
    public override Task<DeleteLiteTopicResponse> DeleteLiteTopic(DeleteLiteTopicRequest request, ServerCallContext context) =>
        RunAsync(_delete, request, context);

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

    private async Task<TResponse> RunAsync<TRequest, TResponse>(
        LiteCall<TRequest, TResponse> handler, TRequest request, ServerCallContext context)
        where TRequest : class
        where TResponse : class
    {
        var call = new ClientCall(context, _time);
        try
        {
            return await _router.CallAsync(handler, call, request);
        }
        catch (Exception exception) when (
            exception is not RpcException && !call.CancellationToken.IsCancellationRequested)
        {
            FrontendEvents.CallFailed(_logger, exception, context.Method, call.ClientId);
            return handler.Refuse(request, new BrokerFailure(BrokerError.None, "the server failed; see its log"));
        }
    }
}
