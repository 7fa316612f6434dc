using Dledger.Broker;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Dledger.Frontend.Administration;

/// <summary>The administration of transactions. Only dispatches; what needs the leader goes there.</summary>
public sealed class TransactionAdministrationService : TransactionAdminService.TransactionAdminServiceBase
{
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly LeaderRouter _router;
    private readonly Call<ListTransactionsRequest, ListTransactionsResponse> _list;
    private readonly Call<ShowTransactionRequest, ShowTransactionResponse> _show;
    private readonly Call<EndTransactionsRequest, EndTransactionsResponse> _end;
    private readonly Call<AlterTransactionChecksRequest, AlterTransactionChecksResponse> _alterChecks;

    internal TransactionAdministrationService(
        BrokerNode broker, FrontendOptions options, LeaderRouter router, TimeProvider time, ILogger logger)
    {
        _time = time;
        _logger = logger;
        _router = router;
        var transactions = new TransactionAdministration(broker, options);
        _list = new(
            "ListTransactions", transactions.ListAsync, (c, r, o) => c.ListTransactionsAsync(r, o), s => new() { Status = s });
        _show = new(
            "ShowTransaction", transactions.ShowAsync, (c, r, o) => c.ShowTransactionAsync(r, o), s => new() { Status = s });
        _end = new(
            "EndTransactions", transactions.EndAsync, (c, r, o) => c.EndTransactionsAsync(r, o), s => new() { Status = s });
        _alterChecks = new(
            "AlterTransactionChecks",
            transactions.AlterChecksAsync,
            (c, r, o) => c.AlterTransactionChecksAsync(r, o),
            s => new() { Status = s });
    }

    /// <inheritdoc/>
    public override Task<ListTransactionsResponse> ListTransactions(
        ListTransactionsRequest request, ServerCallContext context) => RunAsync(_list, request, context);

    /// <inheritdoc/>
    public override Task<ShowTransactionResponse> ShowTransaction(
        ShowTransactionRequest request, ServerCallContext context) => RunAsync(_show, request, context);

    /// <inheritdoc/>
    public override Task<EndTransactionsResponse> EndTransactions(
        EndTransactionsRequest request, ServerCallContext context) => RunAsync(_end, request, context);

    /// <inheritdoc/>
    public override Task<AlterTransactionChecksResponse> AlterTransactionChecks(
        AlterTransactionChecksRequest request, ServerCallContext context) => RunAsync(_alterChecks, request, context);

    private async Task<TResponse> RunAsync<TRequest, TResponse>(
        Call<TRequest, TResponse> admin, TRequest request, ServerCallContext context)
        where TRequest : class
        where TResponse : class
    {
        var call = new ClientCall(context, _time);
        try
        {
            return await _router.CallAsync(admin, call, request);
        }
        catch (Exception exception) when (
            exception is not RpcException && !call.CancellationToken.IsCancellationRequested)
        {
            FrontendEvents.CallFailed(_logger, exception, context.Method, call.ClientId);
            return admin.Refuse(request, new BrokerFailure(BrokerError.None, "the server failed; see its log"));
        }
    }

    /// <summary>One RPC as the router runs it. All of them may be repeated: they say what shall be, not what shall change.</summary>
    private sealed class Call<TRequest, TResponse>(
        string method,
        Func<TRequest, CancellationToken, ValueTask<LocalOutcome<TResponse>>> run,
        Func<TransactionAdminService.TransactionAdminServiceClient, TRequest, CallOptions, AsyncUnaryCall<TResponse>> forward,
        Func<AdminStatus, TResponse> refuse)
        : ILeaderHandler<TRequest, TResponse>
        where TRequest : class
        where TResponse : class
    {
        public string Method => method;

        public bool IsRepeatable => true;

        public ValueTask<LocalOutcome<TResponse>> RunAsync(
            ClientCall call, TRequest request, CancellationToken cancellationToken) => run(request, cancellationToken);

        public AsyncUnaryCall<TResponse> Forward(
            NodeChannels channels, NodeId leader, TRequest request, CallOptions options) =>
            forward(channels.Transactions(leader), request, options);

        public TResponse Refuse(TRequest request, BrokerFailure failure) => refuse(StatusMapping.AdminOf(failure));
    }
}
