using Dledger.Protocol.Node.V1;
using Grpc.Core;

namespace Dledger.Frontend.Messaging.Clients;

/// <summary>What other nodes ask about the clients that are connected here.</summary>
public sealed class ClientService : Protocol.Node.V1.ClientService.ClientServiceBase
{
    /// <summary>Clients in one answer, so that it stays below what a node accepts.</summary>
    internal const int ClientsMax = 10_000;

    private readonly ConnectedClients _clients;

    internal ClientService(ConnectedClients clients) => _clients = clients;

    /// <inheritdoc/>
    public override Task<ListConnectedResponse> ListConnected(ListConnectedRequest request, ServerCallContext context) =>
        Task.FromResult(List(_clients, request));

    /// <inheritdoc/>
    public override Task<AskClientResponse> AskClient(AskClientRequest request, ServerCallContext context) =>
        request.Command is null
            ? throw new RpcException(new Status(StatusCode.InvalidArgument, "the field 'command' is not set"))
            : _clients.AskAsync(request, context.CancellationToken);

    internal static ListConnectedResponse List(ConnectedClients clients, ListConnectedRequest request)
    {
        var found = clients.List(request.Group, request.ClientId);
        var response = new ListConnectedResponse { HasMore = found.Count > ClientsMax };
        response.Clients.AddRange(found.Take(ClientsMax));
        return response;
    }
}
