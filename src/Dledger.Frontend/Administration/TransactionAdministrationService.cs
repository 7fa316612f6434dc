using Dledger.Broker;
using Dledger.Frontend.Forwarding;
using Dledger.Protocol.Admin.V1;
using Grpc.Core;

namespace Dledger.Frontend.Administration;

/// <summary>The administration of transactions. Only dispatches; what needs the leader goes there.</summary>
public sealed class TransactionAdministrationService : TransactionAdminService.TransactionAdminServiceBase
{
    private readonly CallGuard _guard;
    private readonly LeaderCall<ListTransactionsRequest, ListTransactionsResponse> _list;
    private readonly LeaderCall<ShowTransactionRequest, ShowTransactionResponse> _show;
    private readonly LeaderCall<EndTransactionsRequest, EndTransactionsResponse> _end;
    private readonly LeaderCall<AlterTransactionChecksRequest, AlterTransactionChecksResponse> _alterChecks;

    internal TransactionAdministrationService(
        BrokerNode broker, FrontendOptions options, CallGuard guard)
    {
        _guard = guard;
        var transactions = new TransactionAdministration(broker, options);

        // All of them say what shall be, not what shall change: they may be repeated.
        _list = new(
            "ListTransactions", true, transactions.ListAsync, (c, n, r, o) => c.Transactions(n).ListTransactionsAsync(r, o), s => new() { Status = s });
        _show = new(
            "ShowTransaction", true, transactions.ShowAsync, (c, n, r, o) => c.Transactions(n).ShowTransactionAsync(r, o), s => new() { Status = s });
        _end = new(
            "EndTransactions", true, transactions.EndAsync, (c, n, r, o) => c.Transactions(n).EndTransactionsAsync(r, o), s => new() { Status = s });
        _alterChecks = new(
            "AlterTransactionChecks", true,
            transactions.AlterChecksAsync,
            (c, n, r, o) => c.Transactions(n).AlterTransactionChecksAsync(r, o),
            s => new() { Status = s });
    }

    /// <inheritdoc/>
    public override Task<ListTransactionsResponse> ListTransactions(
        ListTransactionsRequest request, ServerCallContext context) => _guard.RunAsync(_list, request, context);

    /// <inheritdoc/>
    public override Task<ShowTransactionResponse> ShowTransaction(
        ShowTransactionRequest request, ServerCallContext context) => _guard.RunAsync(_show, request, context);

    /// <inheritdoc/>
    public override Task<EndTransactionsResponse> EndTransactions(
        EndTransactionsRequest request, ServerCallContext context) => _guard.RunAsync(_end, request, context);

    /// <inheritdoc/>
    public override Task<AlterTransactionChecksResponse> AlterTransactionChecks(
        AlterTransactionChecksRequest request, ServerCallContext context) => _guard.RunAsync(_alterChecks, request, context);
}
