using Dledger.Frontend.Forwarding;
using Dledger.Primitives;
using Dledger.Protocol.Node.V1;
using Grpc.Core;

namespace Dledger.Frontend.Messaging.Clients;

/// <summary>The clients of all nodes: this node's own, and those of the others by asking each. Safe for any thread.</summary>
internal sealed class ClusterClients(
    ConnectedClients own, FrontendOptions options, LeaderRouter router, TimeProvider time)
{
    /// <summary>A node that does not answer within this time is left out.</summary>
    private static readonly TimeSpan ListTimeMax = TimeSpan.FromSeconds(2);

    /// <summary>What a question may take on the way, beside the time that the client has.</summary>
    private static readonly TimeSpan WayTimeMax = TimeSpan.FromSeconds(1);

    /// <summary>Who is connected anywhere, each client once, and the nodes that could not be asked.</summary>
    public async Task<ClientListing> ListAsync(string group, string clientId, CancellationToken cancellationToken)
    {
        var request = new ListConnectedRequest { Group = group, ClientId = clientId };
        var answers = await Task.WhenAll(router.Nodes.Members.Select(node => AskAsync(
            node.Id,
            () => Task.FromResult(ClientService.List(own, request)),
            client => client.ListConnectedAsync(request, Options(ListTimeMax, cancellationToken)),
            cancellationToken)));
        return new ClientListing(
            [.. answers
                .SelectMany(answer => answer.Response?.Clients.ToArray() ?? [])
                .DistinctBy(client => client.ClientId, StringComparer.Ordinal)
                .OrderBy(client => client.ClientId, StringComparer.Ordinal)],
            [.. answers.Where(answer => answer.Response is null).Select(answer => answer.Node)]);
    }

    /// <summary>Has the client asked by a node that it is connected to. The best answer of all, and the nodes that could not be asked.</summary>
    /// <remarks>Clients keep a stream to several nodes, and only one of them must ask: a message would be tried twice otherwise.</remarks>
    public async Task<(AskClientResponse Answer, IReadOnlyList<NodeId> Missing)> AskAsync(
        AskClientRequest request, CancellationToken cancellationToken)
    {
        var here = await own.AskAsync(request, cancellationToken);
        if (here.State != ClientAnswerState.NotConnected)
        {
            return (here, []);
        }

        var connected = await Task.WhenAll(router.Nodes.Members.Where(node => node.Id != options.Self).Select(node => AskAsync(
            node.Id,
            () => Task.FromResult(new ListConnectedResponse()),
            client => client.ListConnectedAsync(
                new ListConnectedRequest { ClientId = request.ClientId }, Options(ListTimeMax, cancellationToken)),
            cancellationToken)));
        NodeId[] missing = [.. connected.Where(answer => answer.Response is null).Select(answer => answer.Node)];
        var place = connected.FirstOrDefault(answer => answer.Response?.Clients.Count > 0);
        if (place.Response is null)
        {
            return (here, missing);
        }

        var (_, there) = await AskAsync(
            place.Node,
            () => Task.FromResult(here),
            client => client.AskClientAsync(request, Options(ConnectedClients.AnswerTimeMax + WayTimeMax, cancellationToken)),
            cancellationToken);
        return (there ?? new AskClientResponse { State = ClientAnswerState.NoAnswer }, missing);
    }

    private async Task<(NodeId Node, TResponse? Response)> AskAsync<TResponse>(
        NodeId node,
        Func<Task<TResponse>> here,
        Func<Protocol.Node.V1.ClientService.ClientServiceClient, AsyncUnaryCall<TResponse>> there,
        CancellationToken cancellationToken)
        where TResponse : class
    {
        if (node == options.Self)
        {
            return (node, await here());
        }

        try
        {
            using var call = there(router.Channels.Clients(node));
            return (node, await call.ResponseAsync);
        }
        catch (RpcException exception) when (!cancellationToken.IsCancellationRequested)
        {
            router.Describe("ClientService", node, exception);
            return (node, null);
        }
        catch (RpcException)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    private CallOptions Options(TimeSpan limit, CancellationToken cancellationToken) =>
        new(deadline: time.GetUtcNow().UtcDateTime + limit, cancellationToken: cancellationToken);
}

/// <summary>Connected clients, and the nodes whose clients are missing in it.</summary>
internal sealed record ClientListing(IReadOnlyList<ConnectedClient> Clients, IReadOnlyList<NodeId> Missing)
{
    /// <summary>OK, with a word on what is missing.</summary>
    public Apache.Rocketmq.V2.Status Status => Missing.Count == 0
        ? StatusMapping.Ok
        : StatusMapping.Status(
            Apache.Rocketmq.V2.Code.Ok, $"the clients of node {string.Join(", ", Missing)} are missing: it did not answer");
}
