using Dledger.Broker;
using Dledger.Broker.Transactions;
using Dledger.Frontend.Calls;
using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Grpc.Core;
using Wire = Apache.Rocketmq.V2;

namespace Dledger.Frontend.Messaging.Transactions;

/// <summary>Takes the decision of a producer. What it was asked by does not matter: clients leave that field as they like.</summary>
internal sealed class EndTransactionHandler(BrokerNode broker, LeaderRouter router)
    : ILeaderHandler<Wire.EndTransactionRequest, Wire.EndTransactionResponse>
{
    public string Method => "EndTransaction";

    public bool IsRepeatable => true;

    public Task<Wire.EndTransactionResponse> HandleAsync(ClientCall call, Wire.EndTransactionRequest request)
    {
        if (CallRules.CheckTopic(call, ResourceNames.Of(request.Topic, call)) is { } violation)
        {
            return Task.FromResult(Refuse(request, StatusMapping.Of(violation)));
        }

        return string.IsNullOrWhiteSpace(request.TransactionId)
            ? Task.FromResult(Refuse(request, StatusMapping.Status(
                Wire.Code.InvalidTransactionId, "the field 'transaction_id' is blank")))
            : router.CallAsync(this, call, request);
    }

    public async ValueTask<LocalOutcome<Wire.EndTransactionResponse>> RunAsync(
        ClientCall call, Wire.EndTransactionRequest request, CancellationToken cancellationToken)
    {
        var failure = await broker.EndTransactionsAsync(
            [request.TransactionId],
            (TransactionResolution)(int)request.Resolution,
            TransactionDecider.Producer,
            cancellationToken);
        return failure is { } failed ? failed : Refuse(request, StatusMapping.Ok);
    }

    public AsyncUnaryCall<Wire.EndTransactionResponse> Forward(
        NodeChannels channels, NodeId leader, Wire.EndTransactionRequest request, CallOptions options) =>
        channels.Messaging(leader).EndTransactionAsync(request, options);

    public Wire.EndTransactionResponse Refuse(Wire.EndTransactionRequest request, BrokerFailure failure) =>
        Refuse(request, StatusMapping.Of(failure));

    public Wire.EndTransactionResponse Refuse(Wire.EndTransactionRequest request, Wire.Status status) =>
        new() { Status = status };
}
